#!/bin/sh
# Published ports, DNAT and docker-proxy: the part of host vm0
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

# Start container nginx
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name nginx                  what the definition, the other commands and DNS call it
#   --network bridge              docker0: the bridge that every engine has; no names, automatic addresses
#   --publish 80:80/tcp           a port of the host that leads to a port of the container (DNAT)
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name nginx \
  --network bridge \
  --publish 80:80/tcp \
  --label dockerlab.lab=ports --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=2206e4764e89 \
  dockerlab/node \
  httpd \
  -f \
  -p \
  80 \
  -h \
  /www

# Start container admin
#   --detach --interactive --tty   in the background, with a terminal: a shell as main process then stays
#   --name admin                   what the definition, the other commands and DNS call it
#   --network bridge               docker0: the bridge that every engine has; no names, automatic addresses
#   --publish 127.0.0.1:81:80/tcp  a port of the host that leads to a port of the container (DNAT)
#   --label …                      whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name admin \
  --network bridge \
  --publish 127.0.0.1:81:80/tcp \
  --label dockerlab.lab=ports --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=f7e6e3f18a8c \
  dockerlab/node \
  httpd \
  -f \
  -p \
  80 \
  -h \
  /www

# Start container client
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name client                 what the definition, the other commands and DNS call it
#   --network bridge              docker0: the bridge that every engine has; no names, automatic addresses
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name client \
  --network bridge \
  --label dockerlab.lab=ports --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=2b8a4d9fed90 \
  dockerlab/node

#!/bin/sh
# Published ports, DNAT and docker-proxy: the part of host vm1
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
