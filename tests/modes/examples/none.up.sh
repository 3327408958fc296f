#!/bin/sh
# No network at all: the part of host local
set -eu

# The image dockerlab/node: a static busybox and its names
docker image inspect dockerlab/node >/dev/null 2>&1 || (
  umask 022; stay='CMD ["sh","-c","trap exit TERM INT; while :; do sleep 3600 & wait; done"]'
  root=$(mktemp -d) && cd "$root" && mkdir bin dev etc proc root sys tmp var www && chmod 1777 tmp &&
  cp "$(command -v busybox)" bin/busybox &&
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' >etc/passwd &&
  printf 'root:x:0:\nnogroup:x:65534:\n' >etc/group &&
  printf 'dockerlab\n' >www/index.html &&
  for name in $(bin/busybox --list); do [ "$name" = busybox ] || ln -s busybox "bin/$name"; done &&
  tar -c bin dev etc proc root sys tmp var www | docker import --change "$stay" --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - dockerlab/node &&
  rm -r "$root"
)

# Start container alone
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name alone                  what the definition, the other commands and DNS call it
#   --network none                a network namespace of its own, with the loopback interface alone
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name alone \
  --network none \
  --label dockerlab.lab=none --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=1f7ae3342ed8 \
  dockerlab/node

# Start container neighbour
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name neighbour              what the definition, the other commands and DNS call it
#   --network bridge              docker0: the bridge that every engine has; no names, automatic addresses
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name neighbour \
  --network bridge \
  --label dockerlab.lab=none --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=e66a219eb73b \
  dockerlab/node
