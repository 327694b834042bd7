# The texts of script/tutor and script/test, which speak before Python and the message catalogue are there.
MSG_APT='Installing Debian packages: %s'
MSG_APT_FAILED='  %s could not be installed. We can go on without it.'
MSG_READ_ONLY='%s is not writable, so nothing can be set up. Clone it to a place you can write to, or run this once as its owner.'
MSG_VENV='Setting up for the first time (making .venv; this may take a minute) ...'
MSG_NO_PYTHON='No Python 3.11 or later was found. On Debian 12 and Ubuntu 24.04 or later: `sudo apt-get install python3 python3-venv`. To use a Python elsewhere, name it in OCI_TUTOR_PYTHON.'
MSG_NO_VENV='This Python has no venv. Run `sudo apt-get install %s`, then try again.'
MSG_VENV_FAILED='The virtual environment .venv could not be made. Check the free disk space, then try again.'
MSG_PIP_FAILED='The Python packages could not be installed. Check the network and the free disk space, then try again (log: %s).'
MSG_MISSING='Going on without: %s(`oci-tutor doctor` tells how to get them)'
MSG_STEP='── %s'
MSG_VM_MISSING='script/test --vm needs: %s(script/test installs them where it may)'
MSG_VM_IMAGE='Making the disk of the virtual machine from Debian packages (once; about a minute) ...'
MSG_VM_IMAGE_FAILED='The virtual machine could not be made. Check the network and the free disk space (2 GB), then try again.'
MSG_VM_BOOT='── pytest in a virtual machine (cgroup v2, systemd)'
MSG_VM_NO_END='The virtual machine ended without having run the tests to their end. Above is the last it said.'
MSG_NO_WHEELHOUSE='The directory %s in OCI_TUTOR_WHEELHOUSE does not exist.'
MSG_WHEELHOUSE_FAILED='The packages in %s could not be installed. Collect them again: run `script/wheelhouse` (for script/test: `script/wheelhouse --dev`) in a checkout of the same version, on a machine with a network (log: %s).'
MSG_WHEELHOUSE_USAGE='usage: script/wheelhouse [--dev] [--here] DIR

Collect in DIR the Python packages that machines without a network are set up from.
  --dev   also collect what script/test needs
  --here  only for the Python and the architecture of this machine (by default for Python 3.11 to 3.14 on x86_64 and aarch64)'
MSG_WHEELHOUSE_FOR='Collecting the packages for Python %s (%s) ...'
MSG_WHEELHOUSE_INCOMPLETE='Some packages could not be collected. Check the network and the free disk space, then try again.'
MSG_WHEELHOUSE_DONE='Collected in %s. Copy it to wheelhouse in the checkout, or name it in OCI_TUTOR_WHEELHOUSE: set-up then uses no network.'
MSG_NO_MANUAL_PICTURES='The pictures of the screens are renewed; those of the manuals (docs/*.png) are as they were. Missing: %s(on Debian: `sudo apt-get install %s`)'
