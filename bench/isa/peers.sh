# llama.cpp's Vulkan shaders for products with one row and eight, as SPIR-V in $cache/peers, for run.sh, which sources this.
# Their source is a git bundle inside npm's package node-llama-cpp; glslc is a Debian package. Neither is installed.
peers=$cache/peers
peers_version=3.22.1

if [ ! -d "$cache/glslc" ]; then
  echo "Fetching glslc from Debian (once) …" >&2
  debian_fetch "$cache/glslc" trixie yes glslc libc6 libstdc++6
fi
if [ ! -d "$peers" ]; then
  echo "Fetching llama.cpp's source from npm's node-llama-cpp $peers_version (once, 36 MB) …" >&2
  draft=$(mktemp -d "$cache/peers-XXXXXX")
  trap 'rm -rf "$draft"' EXIT
  (
    cd "$draft"
    npm pack --silent "node-llama-cpp@$peers_version" >/dev/null
    tar xzf node-llama-cpp-*.tgz package/llama/gitRelease.bundle
    git -c advice.detachedHead=false clone -q package/llama/gitRelease.bundle source
  ) || unavailable "npm's node-llama-cpp cannot be fetched"
  mkdir "$draft/peers"
  # As vulkan-shaders-gen.cpp has them, with activations of f32 and no subgroups.
  (
    cd "$draft/source/ggml/src/ggml-vulkan/vulkan-shaders"
    for type in q4_0 q8_0 q4_k q6_k; do
      case $type in *_k) file=mul_mat_vec_$type.comp ;; *) file=mul_mat_vec.comp ;; esac
      "$cache/glslc/usr/lib64/ld-linux-x86-64.so.2" --library-path "$cache/glslc/usr/lib/x86_64-linux-gnu" \
        "$cache/glslc/usr/bin/glslc" -fshader-stage=compute --target-env=vulkan1.2 -O \
        "-DDATA_A_${type^^}=1" -DFLOAT_TYPE=float -DFLOAT_TYPEV2=vec2 -DFLOAT_TYPEV4=vec4 \
        -DB_TYPE=float -DB_TYPEV2=vec2 -DB_TYPEV4=vec4 -DD_TYPE=float "$file" -o "$draft/peers/$type.spv"
    done
  ) || unavailable "llama.cpp's shaders do not compile"
  mv -T "$draft/peers" "$peers"
  rm -rf "$draft"
  trap - EXIT
fi
