# sh .chain.sh LAYOUT
# Prints the digests on the way from index.json: the manifest, its config, its layers from the base up.
cd "$1/blobs/sha256" || exit
manifest=$(grep -o 'sha256:[0-9a-f]\{64\}' ../../index.json | head -n 1)
echo "$manifest"
grep -o 'sha256:[0-9a-f]\{64\}' "$(echo "$manifest" | cut -c 8-)"
