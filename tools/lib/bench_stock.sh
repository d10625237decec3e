# The stock server's part of tools/bench, which sources it: what is not assigned
# here is tools/bench's own.
# shellcheck shell=bash disable=SC2154

order='{"symbol":"AAPL","order_type":"MARKET","order_side":"BUY","quantity":100}'
stock_pid=
stock_http=
stock_grpc=

start_stock() {
	launch "$dir/stock.log" "$bin/stock_demo_3" -port 0 -grpc-port 0 -db "$dir/stock.db"
	stock_pid=$launched
	stock_http=$(port_of "$dir/stock.log" http_port)
	stock_grpc=$(port_of "$dir/stock.log" grpc_port)
}

# stock_row WHAT LINE CONNECTIONS: print and record a figure.
stock_row() {
	local what=$1 line=$2 n=$3 per_s
	per_s=$(value "$line" per_s)
	measure_bare "$n"
	record "name=stock what=${what// /_} connections=$n per_s=$per_s p50_us=$(value "$line" p50_us) p99_us=$(value "$line" p99_us) of_bare=$(ratio "$per_s" "${bare[$n]}")"
	say '  %-34s %11.0f %10s %10s %8s\n' "$what, $n" "$per_s" \
		"$(ms "$(value "$line" p50_us)")" "$(ms "$(value "$line" p99_us)")" \
		"$(ratio "$per_s" "${bare[$n]}")"
}

stock_http_load() { "$bin/bench_http" -target "127.0.0.1:$stock_http" -seconds "$seconds" "$@"; }
stock_grpc_load() { "$bin/bench_rpc" -target "localhost:$stock_grpc" -seconds "$seconds" "$@"; }
stock_id() { sqlite3 -readonly "$dir/stock.db" 'SELECT id FROM stock_orders LIMIT 1'; }

stock_throughput() {
	local n id
	say '\nStock orders, durable\n'
	say '  %-34s %11s %10s %10s %8s\n' '' 'per second' 'p50 ms' 'p99 ms' 'of bare'
	start_stock
	for n in 1 64 256; do
		stock_row "REST create" "$(stock_http_load -path /api/orders -body "$order" -connections "$n")" "$n"
	done
	for n in 1 64 256; do
		stock_row "gRPC create" "$(stock_grpc_load -call create -outstanding "$n")" "$n"
	done
	id=$(stock_id)
	for n in 1 64 256; do
		stock_row "REST get" "$(stock_http_load -path "/api/orders/$id" -connections "$n")" "$n"
	done
	for n in 1 64 256; do
		stock_row "gRPC get" "$(stock_grpc_load -call get -id "$id" -outstanding "$n")" "$n"
	done
	stop "$stock_pid"
}

# SIGTERM in the middle of 64 connections' creates: what became of them?
stock_shutdown() {
	local load_pid line begun_ns exit_ms rows answered missing
	rm -f "$dir"/stock.db*
	start_stock
	stock_http_load -path /api/orders -body "$order" -connections 64 -warmup 0 >"$dir/stock.load" &
	load_pid=$!
	sleep 0.5
	begun_ns=$(date +%s%N)
	stop "$stock_pid"
	exit_ms=$((($(date +%s%N) - begun_ns) / 1000000))
	wait "$load_pid" || true
	line=$(cat "$dir/stock.load")
	answered=$(value "$line" answered)
	rows=$(sqlite3 -readonly "$dir/stock.db" 'SELECT COUNT(*) FROM stock_orders')
	missing=$((answered > rows ? answered - rows : 0))
	record "name=stock_shutdown exit_ms=$exit_ms answered=$answered refused=$(value "$line" refused) unanswered=$(value "$line" lost) missing=$missing"
	say '\nSIGTERM amid creates on 64 connections\n'
	say '  exit after %s ms; %s orders acknowledged, %s of them missing in the database; %s requests refused, %s without an answer\n' \
		"$exit_ms" "$answered" "$missing" "$(value "$line" refused)" "$(value "$line" lost)"
}

stock_list() {
	local bytes rows begun_ns list_s rss
	rm -f "$dir"/stock.db*
	start_stock
	stop "$stock_pid"
	# A million orders, without the server's help.
	sqlite3 "$dir/stock.db" >/dev/null "PRAGMA synchronous = OFF;
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
		INSERT INTO stock_orders (id, symbol, order_type, order_side, quantity, price, status, created_at, updated_at, description)
		SELECT printf('%08x-0000-4000-8000-%012x', i * 2654435761 % 4294967296, i), 'AAPL', 'MARKET', 'BUY', 100, 0.0, 'PENDING',
		       strftime('%Y-%m-%d %H:%M:%S', 1700000000 + i / 10, 'unixepoch') || printf('.%06d+00:00', i % 10 * 100000),
		       strftime('%Y-%m-%d %H:%M:%S', 1700000000 + i / 10, 'unixepoch') || printf('.%06d+00:00', i % 10 * 100000), ''
		FROM n"
	start_stock
	begun_ns=$(date +%s%N)
	rows=$(curl -fsS "http://127.0.0.1:$stock_http/api/orders" | tee >(wc -c >"$dir/stock.bytes") | grep -o '"id":' | wc -l)
	list_s=$(awk -v ns="$(($(date +%s%N) - begun_ns))" 'BEGIN { printf "%.1f", ns / 1e9 }')
	rss=$(awk -v kb="$(memory_kb "$stock_pid" VmHWM)" 'BEGIN { printf "%.1f", kb / 1024 }')
	stop "$stock_pid"
	bytes=$(cat "$dir/stock.bytes")
	record "name=stock_list orders=$rows bytes=$bytes seconds=$list_s rss_mb=$rss"
	say '\nList of %s orders over REST: %s s, %s MB sent, %s MB resident at most\n' "$rows" "$list_s" \
		"$((bytes / 1000000))" "$rss"
}

bench_stock() {
	stock_throughput
	stock_shutdown
	stock_list
}
