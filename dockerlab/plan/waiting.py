"""How a container is waited for that another one depends on."""

WAIT_HEALTHY = """
# Wait until container {{ name }} is well, by its healthcheck
sh -c {{ script }} wait {{ name }}
"""
WAIT_COMPLETED = """
# Wait until container {{ name }} has done its work
sh -c {{ script }} wait {{ name }}
"""
HEALTHY = """\
while :; do
  is=$(docker inspect --format '{{.State.Status}} {{with .State.Health}}{{.Status}}{{end}}' "$1") || exit 1
  case $is in
    "running healthy") exit 0 ;;
    "running starting" | "created "*) sleep 1 ;;
    *) echo "$1 is not well: $is" >&2; exit 1 ;;
  esac
done"""
COMPLETED = """\
rc=$(docker wait "$1") || exit 1
test "$rc" = 0 || { echo "$1 ended with exit code $rc" >&2; exit 1; }"""
"""How a container is waited for; the engine has no command for the first."""
