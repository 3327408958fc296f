#!/bin/sh
# user-bridges: the part of host local
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

# Create bridge network quiet: a Linux bridge on this host alone
#   --driver bridge         a switch in the kernel; the host is its router
#   --subnet 172.28.1.0/24  the containers' addresses come from here
#   --opt …                 an option of the driver; an unknown one is ignored in silence
#   --label …               whose it is: `down` goes by this
docker network create \
  --driver bridge \
  --subnet 172.28.1.0/24 \
  --opt com.docker.network.bridge.enable_icc=false \
  --label dockerlab.lab=user-bridges --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=8320212517e4 \
  quiet

# Create bridge network vault: a Linux bridge on this host alone
#   --driver bridge         a switch in the kernel; the host is its router
#   --subnet 172.28.2.0/24  the containers' addresses come from here
#   --internal              no way out: no default route, no masquerading, dropped by the host's firewall
#   --label …               whose it is: `down` goes by this
docker network create \
  --driver bridge \
  --subnet 172.28.2.0/24 \
  --internal \
  --label dockerlab.lab=user-bridges --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=3f9a123c131f \
  vault

# Create bridge network open: a Linux bridge on this host alone
#   --driver bridge                a switch in the kernel; the host is its router
#   --subnet 172.28.3.0/24         the containers' addresses come from here
#   --ip-range 172.28.3.64/26      automatic addresses only from this part of the subnet
#   --gateway 172.28.3.254         the default route of the containers
#   --aux-address nas=172.28.3.64  in use by something else: never given to a container
#   --label …                      whose it is: `down` goes by this
#   --label floor=2                from the definition
docker network create \
  --driver bridge \
  --subnet 172.28.3.0/24 \
  --ip-range 172.28.3.64/26 \
  --gateway 172.28.3.254 \
  --aux-address nas=172.28.3.64 \
  --label dockerlab.lab=user-bridges --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=60bb9c20c795 \
  --label floor=2 \
  open

# Start container q1
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name q1                     what the definition, the other commands and DNS call it
#   --network quiet               its place on the first network
#   --ip 172.28.1.10              fixed, so that the definition can speak of it
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name q1 \
  --network quiet \
  --ip 172.28.1.10 \
  --label dockerlab.lab=user-bridges --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=c0e85c4c0f0b \
  dockerlab/node

# Start container v1
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name v1                     what the definition, the other commands and DNS call it
#   --network vault               its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name v1 \
  --network vault \
  --label dockerlab.lab=user-bridges --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=9516bd24a191 \
  dockerlab/node

# Create bridge network straight: a Linux bridge on this host alone
#   --driver bridge  a switch in the kernel; the host is its router
#   --opt …          an option of the driver; an unknown one is ignored in silence
#   --opt …          an option of the driver; an unknown one is ignored in silence
#   --label …        whose it is: `down` goes by this
docker network create \
  --driver bridge \
  --opt com.docker.network.bridge.enable_ip_masquerade=false \
  --opt com.docker.network.bridge.name=br-straight \
  --label dockerlab.lab=user-bridges --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=02dc3589c28f \
  straight

# Start container both
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name both                   what the definition, the other commands and DNS call it
#   --network vault               its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name both \
  --network vault \
  --label dockerlab.lab=user-bridges --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=cbe4d95e2c2d \
  dockerlab/node

# Attach both to network open as well
#   --ip 172.28.3.10  fixed, so that the definition can speak of it
#   --alias www       one more name on this network
#   --alias web       one more name on this network
docker network connect \
  --ip 172.28.3.10 \
  --alias www \
  --alias web \
  open both

# Start container q2
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name q2                     what the definition, the other commands and DNS call it
#   --network quiet               its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name q2 \
  --network quiet \
  --label dockerlab.lab=user-bridges --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=df9b4fd19125 \
  dockerlab/node

# Start container s1
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name s1                     what the definition, the other commands and DNS call it
#   --network straight            its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name s1 \
  --network straight \
  --label dockerlab.lab=user-bridges --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=308378fd4107 \
  dockerlab/node

# Start container o1
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name o1                     what the definition, the other commands and DNS call it
#   --network open                its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name o1 \
  --network open \
  --label dockerlab.lab=user-bridges --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=067dd18a324e \
  dockerlab/node
