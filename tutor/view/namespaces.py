"""The list of namespaces: the container's own, those shared with the host, and which of them changed since the step began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from tutor.text.glyphs import OWN, SHARED, UNKNOWN

if TYPE_CHECKING:
    from tutor.messages import Messages
    from tutor.observe import ContainerView, Delta, NamespaceView
    from tutor.text.glyphs import Mark

Owner = Literal["own", "shared", "unknown"]
OWNERS: dict[Owner, str] = {"own": OWN, "shared": SHARED, "unknown": UNKNOWN}
"""The glyph of each; `word` returns the word beside it."""


class NamespaceRow(NamedTuple):
    """One namespace of the container."""

    namespace: NamespaceView
    owner: Owner
    mark: Mark

    @property
    def glyph(self) -> str:
        """The glyph of its owner."""
        return OWNERS[self.owner]

    @property
    def inode(self) -> str:
        """Its inode; the name of the errno if that could not be read."""
        return str(self.namespace.inode) if self.namespace.inode is not None else self.namespace.reason


def namespace_rows(container: ContainerView, changes: Delta | None = None) -> list[NamespaceRow]:
    """Return one row for each kind.

    Args:
        container: what the kernel says now.
        changes: what changed since the step began; None where there is nothing to compare with.
    """
    changed = {each.after.kind for each in changes.namespaces.changed} if changes else set()
    return [
        NamespaceRow(each, owner_of(each), "~" if each.kind in changed else " ")
        for each in container.namespaces
    ]


def owner_of(namespace: NamespaceView) -> Owner:
    """Return the owner of a namespace."""
    if not namespace.known:
        return "unknown"
    return "shared" if namespace.shared else "own"


def word(owner: Owner, messages: Messages) -> str:
    """Return the word beside the glyph."""
    return messages(f"view.namespace.{owner}")
