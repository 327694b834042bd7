# The messages of the scripts in script/. They are printed before Python and the message catalogue can be used.
MSG_APT='Installing Debian packages: %s'
MSG_APT_FAILED='  %s could not be installed. It is optional, so setup goes on.'
MSG_READ_ONLY='%s is not writable, so .venv cannot be created in it. Clone the repository to a directory you can write to, or run this once as its owner.'
MSG_VENV='Setting up for the first time (creating .venv; this may take a minute) ...'
MSG_NO_PYTHON='No Python 3.11 or later was found. On Debian 12 and Ubuntu 24.04 or later: `sudo apt-get install python3 python3-venv`. To use another Python, set OCI_TUTOR_PYTHON to its path.'
MSG_NO_VENV='This Python has no venv. Run `sudo apt-get install %s`, then try again.'
MSG_VENV_FAILED='The virtual environment .venv could not be created. Check the free disk space, then try again.'
MSG_PIP_FAILED='The Python packages could not be installed. Check the network and the free disk space, then try again (log: %s).'
MSG_MISSING='Going on without: %s(`oci-tutor doctor` says how to install them)'
MSG_STEP='── %s'
MSG_VM_USAGE='usage: script/test --vm [%s] [verify [LESSON...] | PYTEST_ARGUMENTS]'
MSG_VM_MISSING='script/test --vm needs: %s(it could not install them: this takes apt-get and root or sudo)'
MSG_VM_IMAGE='Building the disk of the virtual machine from packages of Debian %s (once; some minutes) ...'
MSG_VM_IMAGE_FAILED='The disk of the virtual machine could not be built. Check the network and the free disk space (4 GB), then try again.'
MSG_VM_BOOT='── %s in a virtual machine (Debian %s: cgroup v2, systemd)'
MSG_VM_NO_END='The virtual machine ended before the tests did. Its last output is above.'
MSG_NO_WHEELHOUSE='The directory %s in OCI_TUTOR_WHEELHOUSE does not exist.'
MSG_WHEELHOUSE_FAILED='The packages in %s could not be installed. Collect them again with `script/wheelhouse` (for script/test: `script/wheelhouse --dev`), in a checkout of the same version on a machine with a network (log: %s).'
MSG_WHEELHOUSE_USAGE='usage: script/wheelhouse [--dev] [--here] DIR

Collect in DIR the Python packages that are needed to set up machines without a network.
  --dev   also collect what script/test needs
  --here  only for the Python and the architecture of this machine (by default for Python 3.11 to 3.14 on x86_64 and aarch64)'
MSG_WHEELHOUSE_FOR='Collecting the packages for Python %s (%s) ...'
MSG_WHEELHOUSE_INCOMPLETE='Some packages could not be collected. Check the network and the free disk space, then try again.'
MSG_WHEELHOUSE_DONE='Collected in %s. Copy it to the checkout as `wheelhouse`, or set OCI_TUTOR_WHEELHOUSE to its path: setup then uses no network.'
MSG_NO_MANUAL_PICTURES='The pictures of the screens are renewed, but not those of the manuals (docs/*.png). Missing: %s(on Debian: `sudo apt-get install %s`)'
MSG_PEERS_USAGE='usage: script/test --peers %s [PYTEST_ARGUMENTS]'
MSG_PEERS_MISSING='script/test --peers needs: %s(it could not install them: this takes apt-get and root or sudo)'
MSG_PEERS_NO_ROOT='script/test --peers needs root, and mount and PID namespaces. Run it as root, or where sudo works.'
MSG_PEERS_ROOT='Building the root filesystem of Debian %s (once; about two minutes) ...'
MSG_PEERS_FAILED='The root filesystem of the other Debian release could not be built. Check the network and the free disk space (2 GB), then try again.'
MSG_PEERS_VERSIONS='── %s: %s'
MSG_ENGINE_USAGE='usage: script/test --engine PATH

PATH is a runc or crun of any version. The traits that it answers unlike every recorded version are printed, then its errors are explained, and every lesson is played on it.'
MSG_ENGINE_NO_PROGRAM='%s is not a program that can be run. Give the path of a runc or crun, such as ./runc in its source after `make`.'
MSG_ENGINE_UNKNOWN='%s is neither runc nor crun: its `--version` prints no line `runc version ...` or `crun version ...`.'
