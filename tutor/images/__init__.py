"""Images: docker-archive, OCI image layout, bundle, and the mini image that is made of this machine's own programs.

No user interface, and nothing but the standard library: tarfile, gzip, hashlib and json are all that these formats need.
"""

from tutor.images.errors import ImageError
from tutor.images.prepare import prepare_bundle

__all__ = ["ImageError", "prepare_bundle"]
