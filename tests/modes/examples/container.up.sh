#!/bin/sh
# Two containers in one network namespace: the part of host local
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

# Start container nginx-web1
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name nginx-web1             what the definition, the other commands and DNS call it
#   --network bridge              docker0: the bridge that every engine has; no names, automatic addresses
#   --publish 81:80/tcp           a port of the host that leads to a port of the container (DNAT)
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name nginx-web1 \
  --network bridge \
  --publish 81:80/tcp \
  --label dockerlab.lab=container --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=3b1915270c4e \
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
  --label dockerlab.lab=container --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=2b8a4d9fed90 \
  dockerlab/node

# Start container php-server
#   --detach --interactive --tty    in the background, with a terminal: a shell as main process then stays
#   --name php-server               what the definition, the other commands and DNS call it
#   --network container:nginx-web1  that container's network namespace: same interfaces, addresses and ports
#   --label …                       whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name php-server \
  --network container:nginx-web1 \
  --label dockerlab.lab=container --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=eefe6f87acb2 \
  dockerlab/node \
  httpd \
  -f \
  -p \
  9000 \
  -h \
  /www
