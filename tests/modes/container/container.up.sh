#!/bin/sh
# container-mode: the part of host local
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

# Create bridge network front: a Linux bridge on this host alone
#   --driver bridge         a switch in the kernel; the host is its router
#   --subnet 172.28.1.0/24  the containers' addresses come from here
#   --label …               whose it is: `down` goes by this
docker network create \
  --driver bridge \
  --subnet 172.28.1.0/24 \
  --label dockerlab.lab=container-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=dd8af35f93b4 \
  front

# Create bridge network back: a Linux bridge on this host alone
#   --driver bridge         a switch in the kernel; the host is its router
#   --subnet 172.28.2.0/24  the containers' addresses come from here
#   --label …               whose it is: `down` goes by this
docker network create \
  --driver bridge \
  --subnet 172.28.2.0/24 \
  --label dockerlab.lab=container-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=f3eafe175395 \
  back

# Start container on-host
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name on-host                what the definition, the other commands and DNS call it
#   --network host                the host's own network namespace: its interfaces, addresses, routes and ports
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name on-host \
  --network host \
  --label dockerlab.lab=container-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=9805efdb76f9 \
  dockerlab/node

# Start container alone
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name alone                  what the definition, the other commands and DNS call it
#   --network none                a network namespace of its own, with the loopback interface alone
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name alone \
  --network none \
  --label dockerlab.lab=container-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=1f7ae3342ed8 \
  dockerlab/node

# Start container web
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name web                    what the definition, the other commands and DNS call it
#   --network front               its place on the first network
#   --publish 8080:80/tcp         a port of the host that leads to a port of the container (DNAT)
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name web \
  --network front \
  --publish 8080:80/tcp \
  --label dockerlab.lab=container-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=8bd9609ff5ce \
  dockerlab/node

# Attach web to network back as well
docker network connect back web

# Start container peer
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name peer                   what the definition, the other commands and DNS call it
#   --network back                its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name peer \
  --network back \
  --label dockerlab.lab=container-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=894ea098231a \
  dockerlab/node

# Start container helper
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name helper                 what the definition, the other commands and DNS call it
#   --network container:on-host   that container's network namespace: same interfaces, addresses and ports
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name helper \
  --network container:on-host \
  --label dockerlab.lab=container-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=9f47cbb250f8 \
  dockerlab/node

# Start container mute
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name mute                   what the definition, the other commands and DNS call it
#   --network container:alone     that container's network namespace: same interfaces, addresses and ports
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name mute \
  --network container:alone \
  --label dockerlab.lab=container-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=768cc9534dbb \
  dockerlab/node

# Start container side
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name side                   what the definition, the other commands and DNS call it
#   --network container:web       that container's network namespace: same interfaces, addresses and ports
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name side \
  --network container:web \
  --label dockerlab.lab=container-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=5b0de9e3594f \
  dockerlab/node
