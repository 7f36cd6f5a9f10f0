// Replays unpacked vectors (Scripts/unpack-vectors.py) through libsmelt.so, shaped as Lotus's own boundary to the FVM
// is: a block store and the outside world are Go's, reached through exported functions and a handle.
//
// usage: replay OBJECTS CASES [GOROUTINES [ROUNDS [TRAPS]]]
// With TRAPS, a message that ends with a trap is simulated so often before it is applied.
package main

/*
#cgo LDFLAGS: -l:libsmelt.so.1
#include <smelt.h>
#include <stdlib.h>

typedef const smelt_block smelt_const_block;
extern int32_t goGet(void *, smelt_bytes, smelt_buffer *);
extern int32_t goHas(void *, smelt_bytes);
extern int32_t goPut(void *, smelt_const_block *, size_t);
extern int32_t goChainRandomness(void *, int64_t, uint8_t *);
extern int32_t goBeaconRandomness(void *, int64_t, uint8_t *);
extern void goFinalize(void *);

static int32_t new_engine(const char *directory, smelt_engine **engine, smelt_error **error) {
	smelt_engine_options options;
	SMELT_INIT(options);
	options.store_directory = directory;
	return smelt_engine_new(&options, engine, error);
}

// A handle is a number; a pointer-sized context carries it.
static int32_t new_store(uintptr_t handle, smelt_store **store, smelt_error **error) {
	smelt_store_callbacks callbacks;
	SMELT_INIT(callbacks);
	callbacks.context = (void *)handle;
	callbacks.get = goGet;
	callbacks.has = goHas;
	callbacks.put = goPut;
	callbacks.finalize = goFinalize;
	return smelt_store_new(&callbacks, store, error);
}

static int32_t begin(smelt_session *session, smelt_epoch *epoch, const uint8_t *root, size_t length, uintptr_t handle,
                     smelt_error **error) {
	smelt_outside outside;
	SMELT_INIT(outside);
	outside.context = (void *)handle;
	outside.chain_randomness = goChainRandomness;
	outside.beacon_randomness = goBeaconRandomness;
	outside.proofs = SMELT_PROOFS_CONFORMANCE;
	epoch->size = sizeof *epoch;
	epoch->state_root = (smelt_bytes){root, length};
	return smelt_session_begin(session, epoch, &outside, error);
}

static int32_t apply(smelt_session *session, const uint8_t *message, size_t length, uint64_t chain_length, int32_t kind,
                     smelt_result **result, smelt_receipt *receipt, smelt_error **error) {
	int32_t status = smelt_session_apply(session, (smelt_bytes){message, length}, chain_length, kind, result, error);
	receipt->size = sizeof *receipt;
	if (status == SMELT_OK) { smelt_result_receipt(*result, receipt); }
	return status;
}

static int32_t simulate(smelt_session *session, const uint8_t *message, size_t length, uint64_t chain_length,
                        int32_t kind, uint32_t *exit_code, smelt_error **error) {
	smelt_result *result;
	int32_t status = smelt_session_simulate(session, (smelt_bytes){message, length}, chain_length, kind, &result, error);
	smelt_receipt receipt = {sizeof receipt};
	if (status == SMELT_OK) { smelt_result_receipt(result, &receipt); }
	*exit_code = receipt.exit_code;
	smelt_result_free(result);
	return status;
}
*/
import "C"

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/cgo"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// The exit code of a trap.
const illegalInstruction = "4"

var (
	traps   uint64
	trapped atomic.Uint64
)

type replay struct {
	shared, own map[string][]byte
	answers     map[string][]byte
}

func (r *replay) block(cid string) ([]byte, bool) {
	if data, known := r.own[cid]; known {
		return data, true
	}
	data, known := r.shared[cid]
	return data, known
}

func (r *replay) randomness(source string, epoch int64) []byte {
	if digest, known := r.answers[fmt.Sprint(source, epoch)]; known {
		return digest
	}
	return []byte("i_am_random_____i_am_random_____")
}

func check(status C.int32_t, failure *C.smelt_error) error {
	if status == C.SMELT_OK {
		return nil
	}
	defer C.smelt_error_free(failure)
	return fmt.Errorf("status %d: %s", status, C.GoString(C.smelt_error_text(failure)))
}

func readBlocks(path string) (map[string][]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	blocks := map[string][]byte{}
	take := func() []byte {
		length := binary.LittleEndian.Uint32(data)
		item := data[4 : 4+length]
		data = data[4+length:]
		return item
	}
	for len(data) > 0 {
		cid := take()
		blocks[string(cid)] = take()
	}
	return blocks, nil
}

func number(text string) uint64 {
	value, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		panic(err)
	}
	return value
}

func unhex(text string) []byte {
	if text == "-" {
		return nil
	}
	data, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return data
}

func pointer(data []byte) *C.uint8_t {
	if len(data) == 0 {
		return nil
	}
	return (*C.uint8_t)(unsafe.Pointer(&data[0]))
}

func run(engine *C.smelt_engine, shared map[string][]byte, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	own, err := readBlocks(strings.TrimSuffix(path, ".case") + ".blocks")
	if err != nil {
		return err
	}
	state := &replay{shared: shared, own: own, answers: map[string][]byte{}}
	var epoch C.smelt_epoch
	var root, final []byte
	var messages [][]string
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		words := strings.Fields(line)
		switch words[0] {
		case "network_version":
			epoch.network_version = C.uint32_t(number(words[1]))
		case "epoch":
			epoch.epoch = C.int64_t(number(words[1]))
		case "timestamp":
			epoch.timestamp = C.uint64_t(number(words[1]))
		case "chain_id":
			epoch.chain_id = C.uint64_t(number(words[1]))
		case "base_fee":
			epoch.base_fee = C.smelt_amount{high: C.uint64_t(number(words[1])), low: C.uint64_t(number(words[2]))}
		case "circulating_supply":
			epoch.circulating_supply = C.smelt_amount{
				high: C.uint64_t(number(words[1])), low: C.uint64_t(number(words[2]))}
		case "state_root":
			root = unhex(words[1])
		case "randomness":
			state.answers[words[1]+words[2]] = unhex(words[3])
		case "message":
			messages = append(messages, words)
		case "final_root":
			final = unhex(words[1])
		}
	}

	var failure *C.smelt_error
	var store *C.smelt_store
	var session *C.smelt_session
	handle := C.uintptr_t(cgo.NewHandle(state)) // goFinalize gives it back
	if err := check(C.new_store(handle, &store, &failure), failure); err != nil {
		return err
	}
	defer C.smelt_store_free(store)
	if err := check(C.smelt_session_new(engine, store, nil, &session, &failure), failure); err != nil {
		return err
	}
	defer C.smelt_session_free(session)
	status := C.begin(session, &epoch, pointer(root), C.size_t(len(root)), handle, &failure)
	if err := check(status, failure); err != nil {
		return err
	}
	for _, words := range messages {
		var result *C.smelt_result
		var receipt C.smelt_receipt
		message := unhex(words[1])
		for i := uint64(0); i < traps && words[4] == illegalInstruction; i++ {
			var exit C.uint32_t
			status := C.simulate(session, pointer(message), C.size_t(len(message)), C.uint64_t(number(words[2])),
				C.int32_t(number(words[3])), &exit, &failure)
			if err := check(status, failure); err != nil {
				return err
			}
			if fmt.Sprint(exit) != illegalInstruction {
				return fmt.Errorf("exit %d in simulation %d, expected %s", exit, i, illegalInstruction)
			}
			trapped.Add(1)
		}
		status := C.apply(session, pointer(message), C.size_t(len(message)), C.uint64_t(number(words[2])),
			C.int32_t(number(words[3])), &result, &receipt, &failure)
		if err := check(status, failure); err != nil {
			return err
		}
		same := uint64(receipt.exit_code) == number(words[4]) && uint64(receipt.gas_used) == number(words[5]) &&
			bytes.Equal(bytesOf(receipt.return_data), unhex(words[6]))
		if !same {
			err = fmt.Errorf("exit %d, gas %d, expected %s and %s", receipt.exit_code, receipt.gas_used, words[4], words[5])
		}
		C.smelt_result_free(result)
		if err != nil {
			return err
		}
	}
	buffer := C.smelt_buffer_new()
	defer C.smelt_buffer_free(buffer)
	if err := check(C.smelt_session_flush(session, buffer, &failure), failure); err != nil {
		return err
	}
	if !bytes.Equal(bytesOf(C.smelt_buffer_bytes(buffer)), final) {
		return fmt.Errorf("another state root")
	}
	return nil
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: replay OBJECTS CASES [GOROUTINES [ROUNDS [TRAPS]]]")
		os.Exit(64)
	}
	goroutines, rounds := 1, 1
	if len(os.Args) > 3 {
		goroutines = int(number(os.Args[3]))
	}
	if len(os.Args) > 4 {
		rounds = int(number(os.Args[4]))
	}
	if len(os.Args) > 5 {
		traps = number(os.Args[5])
	}
	var engine *C.smelt_engine
	var failure *C.smelt_error
	directory := C.CString(os.Args[1])
	defer C.free(unsafe.Pointer(directory))
	if err := check(C.new_engine(directory, &engine, &failure), failure); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer C.smelt_engine_free(engine)
	shared, err := readBlocks(filepath.Join(os.Args[2], "shared.blocks"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	cases, _ := filepath.Glob(filepath.Join(os.Args[2], "*.case"))

	// Go's collector and its preemption signals at work all the time.
	stop := make(chan struct{})
	for i := 0; i < 2; i++ {
		go func() {
			for {
				select {
				case <-stop:
					return
				default:
					runtime.GC()
				}
			}
		}()
	}
	var passed, failed atomic.Int64
	var work sync.WaitGroup
	for i := 0; i < goroutines; i++ {
		work.Add(1)
		go func() {
			defer work.Done()
			for round := 0; round < rounds; round++ {
				for _, path := range cases {
					if err := run(engine, shared, path); err != nil {
						fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
						failed.Add(1)
					} else {
						passed.Add(1)
					}
				}
			}
		}()
	}
	work.Wait()
	close(stop)
	if traps > 0 {
		fmt.Printf("%d traps\n", trapped.Load())
	}
	fmt.Printf("%d passed, %d failed\n", passed.Load(), failed.Load())
	if failed.Load() > 0 || passed.Load() == 0 {
		os.Exit(1)
	}
}
