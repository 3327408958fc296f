#!/bin/sh
# What an image is made of: the part of host vm0
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

# Read which image dockerlab/node is now: a later one under its name is a reason to build again
BASE_730989=$(docker image inspect \
  --format 'dockerlab.base={{.Id}}' \
  dockerlab/node)
export BASE_730989

# Read what a container of dockerlab/node starts: a commit would put the step in its place
START_730989=$(docker image inspect \
  --format 'CMD {{if .Config.Cmd}}{{json .Config.Cmd}}{{else}}[]{{end}}{{"\n"}}ENTRYPOINT {{if .Config.Entrypoint}}{{json .Config.Entrypoint}}{{else}}[]{{end}}' \
  dockerlab/node)
export START_730989

# Step 1 of 2 of image web, in a container of its own
#   --name layers-0-730989-step1  the next command has to find it
#   --entrypoint ''               the image's own would stand before the step
#   --label …                     whose it is: `down` goes by this
#   --label $BASE_730989          what it is built on
#   sh …                          one word for the shell inside; no shell of the host reads it
docker run \
  --name layers-0-730989-step1 \
  --entrypoint '' \
  --label dockerlab.lab=layers --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=4593a54832be --label dockerlab.image=web:latest \
  --label "${BASE_730989:?dockerlab.base= and the ID of dockerlab/node}" \
  dockerlab/node \
  sh -c 'echo "hello from a layer" > /www/index.html'

# Keep what the step wrote: a layer on top of those of dockerlab/node
#   --message 'step 1 of 2'  stands in the history
STEP1_730989=$(docker commit \
  --message 'step 1 of 2' \
  layers-0-730989-step1)
export STEP1_730989

# Remove container layers-0-730989-step1
#   --force    whether it runs or not
#   --volumes  with what its image declared as anonymous volumes
docker rm \
  --force \
  --volumes \
  layers-0-730989-step1

# Step 2 of 2 of image web, in a container of its own
#   --name layers-0-730989-step2  the next command has to find it
#   --entrypoint ''               the image's own would stand before the step
#   --label …                     whose it is: `down` goes by this
#   --label $BASE_730989          what it is built on
#   sh -c 'rm /bin/vi'            one word for the shell inside; no shell of the host reads it
docker run \
  --name layers-0-730989-step2 \
  --entrypoint '' \
  --label dockerlab.lab=layers --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=4593a54832be --label dockerlab.image=web:latest \
  --label "${BASE_730989:?dockerlab.base= and the ID of dockerlab/node}" \
  "${STEP1_730989:?the ID of what step 1 of web gave}" \
  sh -c 'rm /bin/vi'

# Keep what the step wrote: a layer on top of those of step 1
#   --message 'step 2 of 2'  stands in the history
#   --change $START_730989   a container of it starts what one of its base starts, and not the last step
docker commit \
  --message 'step 2 of 2' \
  --change "${START_730989:?the CMD and ENTRYPOINT of dockerlab/node}" \
  layers-0-730989-step2 \
  web:latest

# Remove container layers-0-730989-step2
#   --force    whether it runs or not
#   --volumes  with what its image declared as anonymous volumes
docker rm \
  --force \
  --volumes \
  layers-0-730989-step2

# Read which image dockerlab/node is now: a later one under its name is a reason to build again
BASE_75c638=$(docker image inspect \
  --format 'dockerlab.base={{.Id}}' \
  dockerlab/node)
export BASE_75c638

# Build image tools:latest from the Dockerfile on standard input: no file of this machine is sent along
#   env DOCKER_BUILDKIT=0  the builder inside the engine: what it keeps of each instruction is an image with our labels
#   --force-rm             its containers go after a failure as well
#   --label $BASE_75c638   what it is built on
#   -                      the Dockerfile
env DOCKER_BUILDKIT=0 \
  docker build \
  --force-rm \
  --label "${BASE_75c638:?dockerlab.base= and the ID of dockerlab/node}" \
  --tag tools:latest \
  - <<'END'
FROM dockerlab/node
LABEL "dockerlab.lab"="layers" "dockerlab.owner"="teacher@desk" "dockerlab.run"="0" "dockerlab.fingerprint"="6e622b3fa980" "dockerlab.image"="tools:latest"
ENV GREETING=hello
RUN echo "$GREETING" > /etc/greeting
CMD ["sh", "-c", "httpd -f -p 80 -h /www"]
END

# Create bridge network front: a Linux bridge on this host alone
#   --driver bridge         a switch in the kernel; the host is its router
#   --subnet 172.28.9.0/24  the containers' addresses come from here
#   --label …               whose it is: `down` goes by this
docker network create \
  --driver bridge \
  --subnet 172.28.9.0/24 \
  --label dockerlab.lab=layers --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=5b67b5171c5d \
  front

# Start container site
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name site                   what the definition, the other commands and DNS call it
#   --network front               its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name site \
  --network front \
  --label dockerlab.lab=layers --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=6093b9432e12 \
  web \
  sh \
  -c \
  'echo again >> /www/index.html; exec httpd -f -p 80 -h /www'

# Start container client
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name client                 what the definition, the other commands and DNS call it
#   --network front               its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name client \
  --network front \
  --label dockerlab.lab=layers --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=fae8c989e93c \
  tools
