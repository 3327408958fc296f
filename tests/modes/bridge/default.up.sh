#!/bin/sh
# docker0 on two hosts: the part of host vm0
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

# Start container one
#   --detach --interactive --tty              in the background, with a terminal: a shell as main process then stays
#   --name one                                what the definition, the other commands and DNS call it
#   --network bridge                          docker0: the bridge that every engine has; no names, automatic addresses
#   --hostname first                          its own name for itself
#   --user 1000:1000                          not root inside
#   --dns 192.168.22.1                        the DNS server for names that Docker does not know
#   --dns-search lab.example                  tried behind a name without a dot
#   --add-host printer:192.168.22.9           a line of /etc/hosts
#   --cap-add NET_ADMIN                       a right that containers do not have by default
#   --cap-drop MKNOD                          a default right taken away
#   --sysctl net.ipv4.ip_forward=0            a kernel setting of its network namespace
#   --env 'GREETING=it'"'"'s "quoted" $HOME'  read by the processes inside
#   --env EMPTY=                              read by the processes inside
#   --label …                                 whose it is: `down` goes by this
#   --label course=networks                   from the definition
#   --entrypoint sh                           instead of the image's own
docker run \
  --detach --interactive --tty \
  --name one \
  --network bridge \
  --hostname first \
  --user 1000:1000 \
  --dns 192.168.22.1 \
  --dns-search lab.example \
  --add-host printer:192.168.22.9 \
  --cap-add NET_ADMIN \
  --cap-drop MKNOD \
  --sysctl net.ipv4.ip_forward=0 \
  --env 'GREETING=it'"'"'s "quoted" $HOME' \
  --env EMPTY= \
  --label dockerlab.lab=default-bridge --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=82eb99bc1eb0 \
  --label course=networks \
  --entrypoint sh \
  dockerlab/node \
  -c \
  'sleep 3600 # not a comment'

# Start container two
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name two                    what the definition, the other commands and DNS call it
#   --network bridge              docker0: the bridge that every engine has; no names, automatic addresses
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name two \
  --network bridge \
  --label dockerlab.lab=default-bridge --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=4f7229cbe091 \
  dockerlab/node

#!/bin/sh
# docker0 on two hosts: the part of host vm1
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

# Start container three
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name three                  what the definition, the other commands and DNS call it
#   --network bridge              docker0: the bridge that every engine has; no names, automatic addresses
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name three \
  --network bridge \
  --label dockerlab.lab=default-bridge --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=a0593a277a6e \
  dockerlab/node
