# What tools/demo, tools/test and tools/bench share: the packages of Debian 12
# that the project needs, the build, and grpcurl. Sourced by bash scripts, which
# set `top` to the project's folder first.
# shellcheck shell=bash

setup_build_list=(
	cmake ninja-build gcc libc6-dev pkg-config
	libgrpc-dev libprotobuf-c-dev protobuf-c-compiler protobuf-compiler
	libmicrohttpd-dev libgnutls28-dev libsqlite3-dev libjansson-dev
	libcurl4-openssl-dev libsystemd-dev check
	openssl sqlite3 curl
)
# For .ci/run and `tools/test --valgrind` only. Debian's clang comes without
# its sanitizers and libFuzzer: they are in libclang-rt-14-dev.
setup_check_list=(
	clang clang-format clang-tidy libclang-rt-14-dev shellcheck valgrind
)

# The newest grpcurl that Debian 12's Go 1.19 builds without a doubt (its go.mod
# asks for 1.18), and that knows reflection v1.
setup_grpcurl_version=v1.8.9

setup_say() { printf 'setup: %s\n' "$*" >&2; }

setup_as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

setup_is_installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# setup_packages NAME...: install those that are missing. Where that can't be
# done, say what to install and fail.
setup_packages() {
	local name missing=()
	if ! command -v dpkg-query >/dev/null; then
		setup_say "not a Debian: taking the packages for granted ($*)"
		return 0
	fi
	for name in "$@"; do
		setup_is_installed "$name" || missing+=("$name")
	done
	[ "${#missing[@]}" -gt 0 ] || return 0
	if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
		setup_say "these packages are missing, and there is neither root nor sudo. As root:"
		setup_say "  apt-get install --no-install-recommends ${missing[*]}"
		return 1
	fi
	setup_say "installing ${missing[*]}"
	setup_as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -o Acquire::Retries=3 -qq update </dev/null >&2 &&
		setup_as_root env DEBIAN_FRONTEND=noninteractive \
			apt-get -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 -qq -y \
			install --no-install-recommends "${missing[@]}" </dev/null >&2
}

setup_build_packages() { setup_packages "${setup_build_list[@]}"; }
setup_check_packages() { setup_packages "${setup_check_list[@]}"; }

# setup_configure DIR [cmake arguments]: quiet, but for what went wrong.
setup_configure() {
	local dir=$1 generator=() log
	shift
	if [ ! -e "$dir/CMakeCache.txt" ] && command -v ninja >/dev/null; then
		generator=(-G Ninja)
	fi
	# shellcheck disable=SC2154 # top: see above
	if ! log=$(cmake -S "$top" -B "$dir" "${generator[@]}" "$@" 2>&1); then
		printf '%s\n' "$log" >&2
		return 1
	fi
}

# setup_build DIR [cmake arguments]: configure and build everything in DIR.
setup_build() {
	setup_configure "$@" && cmake --build "$1" -j "$(nproc)"
}

# setup_build_programs DIR: the programs alone, without tests.
setup_build_programs() {
	setup_configure "$1" && cmake --build "$1" -j "$(nproc)" \
		--target rescind_cmd_echo rescind_cmd_worker
}

# The Go that is there, else Debian's; its path.
setup_go() {
	local go
	for go in go /usr/local/go/bin/go /usr/lib/go/bin/go; do
		if command -v "$go" >/dev/null; then
			command -v "$go"
			return 0
		fi
	done
	setup_packages golang-go ca-certificates && command -v go
}

# setup_grpcurl DIR: set and export GRPCURL to the grpcurl of PATH, else to one
# built into DIR/tools. Fails when neither is to be had.
setup_grpcurl() {
	local tools=$1/tools go
	GRPCURL=$(command -v grpcurl || true)
	if [ -z "$GRPCURL" ]; then
		GRPCURL=$tools/grpcurl
	fi
	export GRPCURL
	[ ! -x "$GRPCURL" ] || return 0
	unset GRPCURL

	go=$(setup_go) || { setup_say "no grpcurl, and no Go to build it with"; return 1; }
	setup_say "building grpcurl $setup_grpcurl_version with $("$go" env GOVERSION)"
	mkdir -p "$tools"
	# Without a home Go has nowhere to keep its modules.
	if ! HOME=${HOME:-$tools} GOBIN=$tools "$go" install \
		"github.com/fullstorydev/grpcurl/cmd/grpcurl@$setup_grpcurl_version" \
		</dev/null >"$tools/grpcurl.log" 2>&1; then
		cat "$tools/grpcurl.log" >&2
		setup_say "grpcurl could not be built"
		return 1
	fi
	export GRPCURL=$tools/grpcurl
}
