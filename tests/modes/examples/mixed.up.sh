#!/bin/sh
# Every network mode across vm0 and vm1: the part of host vm0
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

# Note on the host that this lab changed its swarm, so that `down` can undo it without any file
#   --label …  whose it is: `down` goes by this
docker volume create \
  --label dockerlab.lab=mixed --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=- --label dockerlab.receipt=swarm \
  dockerlab-swarm

# Create bridge network app: a Linux bridge on this host alone
#   --driver bridge         a switch in the kernel; the host is its router
#   --subnet 172.30.0.0/24  the containers' addresses come from here
#   --label …               whose it is: `down` goes by this
docker network create \
  --driver bridge \
  --subnet 172.30.0.0/24 \
  --label dockerlab.lab=mixed --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=1dd86967b0dc \
  app

# Create macvlan network lan50: containers straight on the LAN of eth0.50
#   --driver macvlan          every container gets a MAC address of its own on the parent's LAN; no bridge, no NAT
#   --subnet 192.168.22.0/24  the containers' addresses come from here
#   --gateway 192.168.22.1    the default route of the containers
#   --opt parent=eth0.50      the interface that carries the frames
#   --label …                 whose it is: `down` goes by this
docker network create \
  --driver macvlan \
  --subnet 192.168.22.0/24 \
  --gateway 192.168.22.1 \
  --opt parent=eth0.50 \
  --label dockerlab.lab=mixed --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=ebdc566b1e5a \
  lan50

# Start container plain0
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name plain0                 what the definition, the other commands and DNS call it
#   --network bridge              docker0: the bridge that every engine has; no names, automatic addresses
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name plain0 \
  --network bridge \
  --label dockerlab.lab=mixed --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=69259f5c64c0 \
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
  --label dockerlab.lab=mixed --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=1f7ae3342ed8 \
  dockerlab/node

# Make a Swarm, which keeps the addresses and names of overlay networks
#   --advertise-addr 192.168.22.61  where the other hosts find this one
docker swarm init --advertise-addr 192.168.22.61

# Start container web
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name web                    what the definition, the other commands and DNS call it
#   --network app                 its place on the first network
#   --publish 8080:80/tcp         a port of the host that leads to a port of the container (DNAT)
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name web \
  --network app \
  --publish 8080:80/tcp \
  --label dockerlab.lab=mixed --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=3d5889e37d26 \
  dockerlab/node \
  httpd \
  -f \
  -p \
  80 \
  -h \
  /www

# Start container lan0
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name lan0                   what the definition, the other commands and DNS call it
#   --network lan50               its place on the first network
#   --ip 192.168.22.210           fixed, so that the definition can speak of it
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name lan0 \
  --network lan50 \
  --ip 192.168.22.210 \
  --label dockerlab.lab=mixed --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=931fa4dbe802 \
  dockerlab/node

# Read what another host has to show to join
DOCKERLAB_SWARM_TOKEN=$(docker swarm join-token --quiet worker)
export DOCKERLAB_SWARM_TOKEN

# Start container side
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name side                   what the definition, the other commands and DNS call it
#   --network container:web       that container's network namespace: same interfaces, addresses and ports
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name side \
  --network container:web \
  --label dockerlab.lab=mixed --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=60653ff74bd5 \
  dockerlab/node

# Create overlay network wide: one layer 2 over all hosts of the Swarm
#   --driver overlay       frames travel between the hosts in VXLAN, UDP port 4789
#   --subnet 10.60.0.0/24  the containers' addresses come from here
#   --attachable           plain containers may join a Swarm's network, not services alone
#   --label …              whose it is: `down` goes by this
docker network create \
  --driver overlay \
  --subnet 10.60.0.0/24 \
  --attachable \
  --label dockerlab.lab=mixed --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=07e02ecbe250 \
  wide

# Start container wide0
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name wide0                  what the definition, the other commands and DNS call it
#   --network wide                its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name wide0 \
  --network wide \
  --label dockerlab.lab=mixed --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=1bd602e69e6d \
  dockerlab/node

#!/bin/sh
# Every network mode across vm0 and vm1: the part of host vm1
set -eu
# needs $DOCKERLAB_SWARM_TOKEN: set it to what 'docker swarm join-token --quiet worker' prints on the manager

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

# Note on the host that this lab changed its swarm, so that `down` can undo it without any file
#   --label …  whose it is: `down` goes by this
docker volume create \
  --label dockerlab.lab=mixed --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=- --label dockerlab.receipt=swarm \
  dockerlab-swarm

# Create macvlan network lan50: containers straight on the LAN of eth0.50
#   --driver macvlan          every container gets a MAC address of its own on the parent's LAN; no bridge, no NAT
#   --subnet 192.168.22.0/24  the containers' addresses come from here
#   --gateway 192.168.22.1    the default route of the containers
#   --opt parent=eth0.50      the interface that carries the frames
#   --label …                 whose it is: `down` goes by this
docker network create \
  --driver macvlan \
  --subnet 192.168.22.0/24 \
  --gateway 192.168.22.1 \
  --opt parent=eth0.50 \
  --label dockerlab.lab=mixed --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=ebdc566b1e5a \
  lan50

# Start container plain1
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name plain1                 what the definition, the other commands and DNS call it
#   --network bridge              docker0: the bridge that every engine has; no names, automatic addresses
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name plain1 \
  --network bridge \
  --label dockerlab.lab=mixed --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=c29494f99eba \
  dockerlab/node

# Start container bare
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name bare                   what the definition, the other commands and DNS call it
#   --network host                the host's own network namespace: its interfaces, addresses, routes and ports
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name bare \
  --network host \
  --label dockerlab.lab=mixed --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=73304e6b5186 \
  dockerlab/node

# Start container lan1
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name lan1                   what the definition, the other commands and DNS call it
#   --network lan50               its place on the first network
#   --ip 192.168.22.211           fixed, so that the definition can speak of it
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name lan1 \
  --network lan50 \
  --ip 192.168.22.211 \
  --label dockerlab.lab=mixed --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=6159e3f896ec \
  dockerlab/node

# Join the Swarm of vm0
#   --token $DOCKERLAB_SWARM_TOKEN  proves that the manager invited this host
#   --advertise-addr 192.168.22.62  where the other hosts find this one
docker swarm join \
  --token "${DOCKERLAB_SWARM_TOKEN:?set it to what 'docker swarm join-token --quiet worker' prints on the manager}" \
  --advertise-addr 192.168.22.62 \
  192.168.22.61:2377

# Start container wide1
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name wide1                  what the definition, the other commands and DNS call it
#   --network wide                its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name wide1 \
  --network wide \
  --label dockerlab.lab=mixed --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=c7d34fd27638 \
  dockerlab/node
