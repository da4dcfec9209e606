# Keeps one PostgreSQL cluster as long as somebody holds the other end of standard input. Arguments: folder, binaries,
# fsync. Reads one command a line and answers each with one line; at the end of input it stops the server and cleans up.
folder=$1 binaries=$2 fsync=$3
data=$folder/data log=$folder/server.log

start() {
    tries=0
    until "$binaries/pg_ctl" -w -s -D "$data" -l "$log" start >"$folder/start.log" 2>&1 </dev/null; do
        # After a kill the old server's children may still be there for a moment.
        tries=$((tries + 1))
        [ "$tries" -lt 50 ] || { echo "cannot start: $(tail -n 1 "$log")"; return; }
        sleep 0.2
    done
    echo ready
}

if "$binaries/initdb" -D "$data" -U kaname --auth=trust --encoding=UTF8 --locale=C --no-sync >"$folder/init.log" 2>&1; then
    cat >>"$data/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$folder'
fsync = $fsync
synchronous_commit = $fsync
full_page_writes = $fsync
max_connections = 400
shared_buffers = 32MB
autovacuum_naptime = 10s
END
    start
else
    echo "cannot make a cluster: $(tail -n 1 "$folder/init.log")"
fi

while read -r command; do
    case $command in
    start) start ;;
    stop) "$binaries/pg_ctl" -s -D "$data" -m fast stop >/dev/null 2>&1; echo stopped ;;
    kill) kill -9 "$(head -n 1 "$data/postmaster.pid")"; echo killed ;;
    esac
done
"$binaries/pg_ctl" -s -D "$data" -m immediate stop >/dev/null 2>&1
rm -rf "$folder"
