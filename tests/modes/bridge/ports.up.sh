#!/bin/sh
# ports: the part of host vm0
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
  --label dockerlab.lab=ports --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=3f9a123c131f \
  vault

# Start container everywhere
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name everywhere             what the definition, the other commands and DNS call it
#   --network bridge              docker0: the bridge that every engine has; no names, automatic addresses
#   --publish 80:80/tcp           a port of the host that leads to a port of the container (DNAT)
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name everywhere \
  --network bridge \
  --publish 80:80/tcp \
  --label dockerlab.lab=ports --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=41fcb6d32615 \
  dockerlab/node

# Start container here
#   --detach --interactive --tty       in the background, with a terminal: a shell as main process then stays
#   --name here                        what the definition, the other commands and DNS call it
#   --network bridge                   docker0: the bridge that every engine has; no names, automatic addresses
#   --publish 127.0.0.1:81:80/tcp      a port of the host that leads to a port of the container (DNAT)
#   --publish 192.168.22.61:82:80/tcp  a port of the host that leads to a port of the container (DNAT)
#   --label …                          whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name here \
  --network bridge \
  --publish 127.0.0.1:81:80/tcp \
  --publish 192.168.22.61:82:80/tcp \
  --label dockerlab.lab=ports --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=001dc71b5a29 \
  dockerlab/node

# Start container split
#   --detach --interactive --tty         in the background, with a terminal: a shell as main process then stays
#   --name split                         what the definition, the other commands and DNS call it
#   --network bridge                     docker0: the bridge that every engine has; no names, automatic addresses
#   --publish 192.168.22.61:81:8081/tcp  a port of the host that leads to a port of the container (DNAT)
#   --publish '[::1]:85:80/tcp'          a port of the host that leads to a port of the container (DNAT)
#   --publish 53:53/udp                  a port of the host that leads to a port of the container (DNAT)
#   --publish 9000/tcp                   a port of the host that leads to a port of the container (DNAT)
#   --label …                            whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name split \
  --network bridge \
  --publish 192.168.22.61:81:8081/tcp \
  --publish '[::1]:85:80/tcp' \
  --publish 53:53/udp \
  --publish 9000/tcp \
  --label dockerlab.lab=ports --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=cdac5fdcb858 \
  dockerlab/node

# Start container shut
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name shut                   what the definition, the other commands and DNS call it
#   --network vault               its place on the first network
#   --publish 83:80/tcp           a port of the host that leads to a port of the container (DNAT)
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name shut \
  --network vault \
  --publish 83:80/tcp \
  --label dockerlab.lab=ports --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=2f0e409dbe98 \
  dockerlab/node

#!/bin/sh
# ports: the part of host vm1
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
  --label dockerlab.lab=ports --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=06ce41177953 \
  dockerlab/node
