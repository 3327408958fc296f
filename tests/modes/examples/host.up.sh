#!/bin/sh
# Host mode beside a bridge: the part of host vm0
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

# Start container centos_host
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name centos_host            what the definition, the other commands and DNS call it
#   --network host                the host's own network namespace: its interfaces, addresses, routes and ports
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name centos_host \
  --network host \
  --label dockerlab.lab=host --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=f936fcd4d6f0 \
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
  --label dockerlab.lab=host --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=e66a219eb73b \
  dockerlab/node

#!/bin/sh
# Host mode beside a bridge: the part of host vm1
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

# Start container remote
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name remote                 what the definition, the other commands and DNS call it
#   --network bridge              docker0: the bridge that every engine has; no names, automatic addresses
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name remote \
  --network bridge \
  --label dockerlab.lab=host --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=06ce41177953 \
  dockerlab/node
