# sh add-image.sh LAYOUT REF CONFIG [LAYER.tar]
#
# Adds an image named REF to an image layout: with the config in the file CONFIG and the layers of the image 3.9,
# and with one more layer on top if there is a LAYER.tar. From the bottom of the chain to its top:
# layer, config, manifest, index.json.
set -e
layout=$1 ref=$2 config=$3 layer=$4
blobs=$layout/blobs/sha256
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT

# Copies a file to where its digest says, and prints what a descriptor says of it.
store() {
    digest=$(sha256sum "$1" | cut -c 1-64)
    cp "$1" "$blobs/$digest"
    printf '"mediaType":"application/vnd.oci.image.%s","digest":"sha256:%s","size":%d' "$2" "$digest" "$(wc -c < "$1")"
}

# index.json with each descriptor on a line of its own; the manifest of the image 3.9 has the layers below.
sed 's/{"mediaType"/\n&/g' "$layout/index.json" > "$scratch/index"
manifest=$(grep '"3.9"' "$scratch/index" | grep -o 'sha256:[0-9a-f]\{64\}' | cut -c 8-)
layers=$(sed 's/.*"layers": *\[\([^]]*\)\].*/\1/' "$blobs/$manifest")
tr -d '\n' < "$config" > "$scratch/config"

if [ -n "$layer" ]; then
    # The DiffID is the digest of the tar, the descriptor has that of the compressed blob.
    diff_id=$(sha256sum "$layer" | cut -c 1-64)
    sed -i 's/\("diff_ids": *\[[^]]*\)\]/\1,"sha256:'"$diff_id"'"]/' "$scratch/config"
    gzip -nc "$layer" > "$scratch/layer"
    layers="$layers,{$(store "$scratch/layer" layer.v1.tar+gzip)}"
fi

printf '{"schemaVersion":2,"config":{%s},"layers":[%s]}' \
    "$(store "$scratch/config" config.v1+json)" "$layers" > "$scratch/manifest"
named="{$(store "$scratch/manifest" manifest.v1+json),\"annotations\":{\"org.opencontainers.image.ref.name\":\"$ref\"}}"
# An image that had the name loses it; the new one comes first.
sed -e "/\"$ref\"/d" -e "1a $named," "$scratch/index" | tr -d '\n' > "$layout/index.json"
echo "$layout:$ref"
