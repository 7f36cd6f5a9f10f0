#!/bin/bash
# Builds and runs the tests of the C runtime with plain C compilers, without Swift: plainly, and with sanitizers.
set -euo pipefail
cd "$(dirname "$0")/.."
out=.build/runtime-tests
mkdir -p "$out"
flags=(-IRuntime/include -std=gnu11 -Wall -Wextra -Werror -g -pthread)
sources=(Runtime/*.c Runtime/*.S)
tests=(Runtime/tests/main.c Runtime/tests/test_*.c)

# Two artifacts written by hand; nothing of the system goes in.
objects=()
for answer in 42 43; do
    object="$out/object$answer.so"
    cc -std=gnu11 -Wall -Wextra -Werror -O2 -fPIC -ffreestanding -fno-builtin -fno-stack-protector -fvisibility=hidden \
        -fcf-protection=none -DANSWER="$answer" -shared -nostdlib -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,now \
        -Wl,-z,separate-code -o "$object" Runtime/tests/object.c
    objects+=("$object")
done

run() {
    local name=$1 compiler=$2
    shift 2
    "$compiler" "${flags[@]}" "$@" -o "$out/$name" "${sources[@]}" "${tests[@]}"
    echo "runtime tests: $name"
    "${prefix[@]}" "$out/$name" -- "${objects[@]}"
}
prefix=()

# The handler's file may refer to what is safe in a handler, to the lock of install and uninstall, and to the runtime.
cc "${flags[@]}" -O2 -c -o "$out/signal.o" Runtime/signal_linux.c
allowed='^(sigaction|pthread_sigmask|sigemptyset|sigaddset|syscall|getpid|__errno_location|pthread_mutex_(un)?lock|smelt_rt_.*|_GLOBAL_OFFSET_TABLE_)$'
if nm -u "$out/signal.o" | awk '{print $2}' | grep -Ev "$allowed"; then
    echo "Runtime/signal_linux.c refers to functions that a signal handler must not call" >&2
    exit 1
fi

run cc cc -O2
run address-undefined cc -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
# gcc 12's thread sanitizer wants the address space as it was before kernels spread it more widely.
if setarch -R true 2> /dev/null; then prefix=(setarch -R); fi
run thread cc -O1 -fsanitize=thread
prefix=()
if command -v clang > /dev/null; then run clang clang -O2; fi

if [[ ${1:-} == bench ]]; then
    cc "${flags[@]}" -O2 -o "$out/bench" "${sources[@]}" Runtime/tests/bench.c
    "$out/bench"
fi
