# sh diff-ids.sh DIRECTORY
# Prints the DiffIDs (rootfs.diff_ids) in the config of an unpacked `docker save` archive, one a line.
config=$(sed 's/.*"Config":"\([^"]*\)".*/\1/' "$1/manifest.json")
sed 's/.*"diff_ids":\[\([^]]*\)\].*/\1/' "$1/$config" | grep -o '[0-9a-f]\{64\}'
