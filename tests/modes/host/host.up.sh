#!/bin/sh
# host-mode: the part of host vm0
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

# Create bridge network vault: a Linux bridge on this host alone
#   --driver bridge         a switch in the kernel; the host is its router
#   --subnet 172.28.2.0/24  the containers' addresses come from here
#   --internal              no way out: no default route, no masquerading, dropped by the host's firewall
#   --label …               whose it is: `down` goes by this
docker network create \
  --driver bridge \
  --subnet 172.28.2.0/24 \
  --internal \
  --label dockerlab.lab=host-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=3f9a123c131f \
  vault

# Start container h0
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name h0                     what the definition, the other commands and DNS call it
#   --network host                the host's own network namespace: its interfaces, addresses, routes and ports
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name h0 \
  --network host \
  --label dockerlab.lab=host-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=0134767dc7fc \
  dockerlab/node \
  httpd \
  -f \
  -p \
  8080

# Start container plain
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name plain                  what the definition, the other commands and DNS call it
#   --network bridge              docker0: the bridge that every engine has; no names, automatic addresses
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name plain \
  --network bridge \
  --label dockerlab.lab=host-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=4adbe0287be3 \
  dockerlab/node

# Start container hidden
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name hidden                 what the definition, the other commands and DNS call it
#   --network vault               its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name hidden \
  --network vault \
  --label dockerlab.lab=host-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=02e6d7b5ca2f \
  dockerlab/node

#!/bin/sh
# host-mode: the part of host vm1
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

# Start container h1
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name h1                     what the definition, the other commands and DNS call it
#   --network host                the host's own network namespace: its interfaces, addresses, routes and ports
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name h1 \
  --network host \
  --label dockerlab.lab=host-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=8fd170c862af \
  dockerlab/node
