# script/test --peers: the root of a Debian release with the engines and tools that the tests run beside runt. Whatever changes here
# makes the roots be built again. POSIX sh; expects script/lib/setup.sh.

PEERS_RELEASES='bookworm trixie sid'
PEERS_PACKAGES='python3,python3-venv,git,ca-certificates,procps,iproute2,iptables,
    busybox-static,runc,crun,docker.io,containerd,podman,conmon,catatonit,skopeo,umoci,oci-image-tool,docker-registry,
    tini,curl,tmux,strace,uidmap,criu,linux-libc-dev'

# peers_packages RELEASE: prints the packages. Since trixie, Docker's client is one of its own.
peers_packages() {
    printf %s "$PEERS_PACKAGES" | tr -d ' \n'
    [ "$1" = bookworm ] || printf ',docker-cli'
}

# peers_mirror: prints the address of the Debian mirror that this machine is set up to use; nothing where there is none.
peers_mirror() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' 2>/dev/null | head -n 1; }

# peers_build RELEASE TREE LOG: unpacks the release into TREE.
peers_build() {
    mirror=$(peers_mirror)
    # Without one, mmdebstrap knows where Debian is.
    [ -z "$mirror" ] || mirror="deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main"
    # In a mount namespace of its own: whatever happens, no mount stays behind. Without waiting for the disk at each package.
    # A mirror of sid may stand still for longer than its Release file is valid. Without sources, a test that asks apt does not
    # ask the network.
    as_root unshare --mount --propagation private mmdebstrap --quiet --mode=root --variant=minbase \
        --include="$(peers_packages "$1")" \
        --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --customize-hook='echo 127.0.0.1 localhost >"$1/etc/hosts"' \
        --customize-hook=': >"$1/etc/apt/sources.list"' \
        "$1" "$2" ${mirror:+"$mirror"} >"$3" 2>&1
}
