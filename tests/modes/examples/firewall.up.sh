#!/bin/sh
# A host that lets nobody in, but for what Docker publishes: the part of host vm0
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

# Note on the host what this lab changes of it, and what was there before: `down` puts it back
#   --label …  whose it is: `down` goes by this
docker volume create \
  --label dockerlab.lab=firewall --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=- --label dockerlab.receipt=ground --label 'dockerlab.ground={"ground":{"firewall":{"iptables":["-A INPUT -i lo -j ACCEPT","-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT","-A INPUT -p tcp --dport 22 -j ACCEPT","-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT","-P INPUT DROP"],"ip6tables":["-A INPUT -i lo -j ACCEPT","-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT","-A INPUT -p tcp --dport 22 -j ACCEPT","-A INPUT -p ipv6-icmp -j ACCEPT","-P INPUT DROP"]}},"before":{"basis iptables filter":"","basis ip6tables filter":"","rule iptables -A INPUT -i lo -j ACCEPT":"","rule iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT":"","rule iptables -A INPUT -p tcp --dport 22 -j ACCEPT":"","rule iptables -A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT":"","rule ip6tables -A INPUT -i lo -j ACCEPT":"","rule ip6tables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT":"","rule ip6tables -A INPUT -p tcp --dport 22 -j ACCEPT":"","rule ip6tables -A INPUT -p ipv6-icmp -j ACCEPT":"","policy iptables filter INPUT":null,"policy ip6tables filter INPUT":null}}' \
  dockerlab-ground-firewall-0

# Create bridge network front: a Linux bridge on this host alone
#   --driver bridge         a switch in the kernel; the host is its router
#   --subnet 172.28.1.0/24  the containers' addresses come from here
#   --label …               whose it is: `down` goes by this
docker network create \
  --driver bridge \
  --subnet 172.28.1.0/24 \
  --label dockerlab.lab=firewall --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=dd8af35f93b4 \
  front

# Start container db
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name db                     what the definition, the other commands and DNS call it
#   --network host                the host's own network namespace: its interfaces, addresses, routes and ports
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name db \
  --network host \
  --label dockerlab.lab=firewall --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=b6e0bc99c28f \
  dockerlab/node \
  httpd \
  -f \
  -p \
  5432 \
  -h \
  /www

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
  --label dockerlab.lab=firewall --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=e5af49a1d3a6 \
  dockerlab/node \
  httpd \
  -f \
  -p \
  80 \
  -h \
  /www

# A rule of the lab's in filter INPUT
#   -i lo -j ACCEPT  what the host says to itself
#   -m …             by this it is known as the lab's, and is taken out again
iptables --wait \
  --table filter \
  --append INPUT \
  -i lo -j ACCEPT \
  -m comment --comment dockerlab:firewall:d647996e

# A rule of the lab's in filter INPUT
#   -m …  answers to what the host has asked for, and connections that are open
#   -m …  by this it is known as the lab's, and is taken out again
iptables --wait \
  --table filter \
  --append INPUT \
  -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT \
  -m comment --comment dockerlab:firewall:c0ae57a5

# A rule of the lab's in filter INPUT
#   -p tcp --dport 22 -j ACCEPT  ssh: or nobody could come and undo this
#   -m …                         by this it is known as the lab's, and is taken out again
iptables --wait \
  --table filter \
  --append INPUT \
  -p tcp --dport 22 -j ACCEPT \
  -m comment --comment dockerlab:firewall:ecb4f28d

# A rule of the lab's in filter INPUT
#   -p icmp -m icmp --icmp-type 8 -j ACCEPT  ping
#   -m …                                     by this it is known as the lab's, and is taken out again
iptables --wait \
  --table filter \
  --append INPUT \
  -p icmp -m icmp --icmp-type 8 -j ACCEPT \
  -m comment --comment dockerlab:firewall:b63a1edb

# A rule of the lab's in filter INPUT
#   -i lo -j ACCEPT  what the host says to itself
#   -m …             by this it is known as the lab's, and is taken out again
ip6tables --wait \
  --table filter \
  --append INPUT \
  -i lo -j ACCEPT \
  -m comment --comment dockerlab:firewall:3ce8b6e0

# A rule of the lab's in filter INPUT
#   -m …  answers to what the host has asked for, and connections that are open
#   -m …  by this it is known as the lab's, and is taken out again
ip6tables --wait \
  --table filter \
  --append INPUT \
  -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT \
  -m comment --comment dockerlab:firewall:c70d6ab6

# A rule of the lab's in filter INPUT
#   -p tcp --dport 22 -j ACCEPT  ssh: or nobody could come and undo this
#   -m …                         by this it is known as the lab's, and is taken out again
ip6tables --wait \
  --table filter \
  --append INPUT \
  -p tcp --dport 22 -j ACCEPT \
  -m comment --comment dockerlab:firewall:c42819fe

# A rule of the lab's in filter INPUT
#   -p ipv6-icmp -j ACCEPT  ping, and how neighbours find each other
#   -m …                    by this it is known as the lab's, and is taken out again
ip6tables --wait \
  --table filter \
  --append INPUT \
  -p ipv6-icmp -j ACCEPT \
  -m comment --comment dockerlab:firewall:603eea7d

# Say what becomes of packets that no rule of INPUT decides on
iptables --wait \
  --table filter \
  --policy INPUT DROP

# Say what becomes of packets that no rule of INPUT decides on
ip6tables --wait \
  --table filter \
  --policy INPUT DROP

#!/bin/sh
# A host that lets nobody in, but for what Docker publishes: the part of host vm1
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

# Start container far
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name far                    what the definition, the other commands and DNS call it
#   --network bridge              docker0: the bridge that every engine has; no names, automatic addresses
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name far \
  --network bridge \
  --label dockerlab.lab=firewall --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=eaac2b319db7 \
  dockerlab/node
