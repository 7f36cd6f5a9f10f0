//! Replays unpacked vectors (Scripts/unpack-vectors.py) through libsmelt.so with callbacks in Rust, without any crate.
//!
//! usage: replay OBJECTS CASES
use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::os::raw::{c_char, c_void};
use std::path::Path;
use std::{env, fs, process, ptr, slice};

const OK: i32 = 0;
const NOT_FOUND: i32 = -7;
const PROOFS_CONFORMANCE: i32 = 1;

#[repr(C)]
#[derive(Clone, Copy)]
struct Bytes {
    data: *const u8,
    length: usize,
}

impl Bytes {
    fn of(bytes: &[u8]) -> Bytes {
        Bytes { data: bytes.as_ptr(), length: bytes.len() }
    }

    /// Sound for bytes that the library lends until the call returns.
    unsafe fn value<'a>(self) -> &'a [u8] {
        if self.length == 0 {
            &[]
        } else {
            slice::from_raw_parts(self.data, self.length)
        }
    }
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Amount {
    low: u64,
    high: u64,
}

#[repr(C)]
struct EngineOptions {
    size: usize,
    store_directory: *const c_char,
    worker: *const c_char,
    bounds: i32,
    tier: i32,
    cpu_level: i32,
    jobs: u32,
    no_signals: u8,
}

#[repr(C)]
struct Block {
    cid: Bytes,
    data: Bytes,
}

#[repr(C)]
struct StoreCallbacks {
    size: usize,
    context: *mut c_void,
    get: Option<extern "C" fn(*mut c_void, Bytes, *mut c_void) -> i32>,
    has: Option<extern "C" fn(*mut c_void, Bytes) -> i32>,
    put: Option<extern "C" fn(*mut c_void, *const Block, usize) -> i32>,
    finalize: Option<extern "C" fn(*mut c_void)>,
}

type Randomness = extern "C" fn(*mut c_void, i64, *mut u8) -> i32;

#[repr(C)]
struct Outside {
    size: usize,
    context: *mut c_void,
    chain_randomness: Option<Randomness>,
    beacon_randomness: Option<Randomness>,
    others: [*const c_void; 4],
    proofs: i32,
}

#[repr(C)]
struct Epoch {
    size: usize,
    network_version: u32,
    chain_id: u64,
    epoch: i64,
    timestamp: u64,
    base_fee: Amount,
    circulating_supply: Amount,
    state_root: Bytes,
    debugging: u8,
    tracing: u8,
}

#[repr(C)]
struct Receipt {
    size: usize,
    exit_code: u32,
    gas_used: u64,
    return_data: Bytes,
    return_codec: u64,
    events_root: Bytes,
    gas: [u64; 2],
    amounts: [Amount; 5],
}

type Handle = *mut c_void;

#[link(name = "smelt")]
extern "C" {
    fn smelt_error_text(error: Handle) -> *const c_char;
    fn smelt_error_free(error: Handle);
    fn smelt_buffer_new() -> Handle;
    fn smelt_buffer_set(buffer: Handle, data: *const u8, length: usize) -> i32;
    fn smelt_buffer_bytes(buffer: Handle) -> Bytes;
    fn smelt_buffer_free(buffer: Handle);
    fn smelt_engine_new(options: *const EngineOptions, engine: *mut Handle, error: *mut Handle) -> i32;
    fn smelt_engine_free(engine: Handle);
    fn smelt_store_new(callbacks: *const StoreCallbacks, store: *mut Handle, error: *mut Handle) -> i32;
    fn smelt_store_free(store: Handle);
    fn smelt_session_new(
        engine: Handle, store: Handle, options: *const c_void, session: *mut Handle, error: *mut Handle,
    ) -> i32;
    fn smelt_session_begin(session: Handle, epoch: *const Epoch, outside: *const Outside, error: *mut Handle) -> i32;
    fn smelt_session_apply(
        session: Handle, message: Bytes, chain_length: u64, kind: i32, result: *mut Handle, error: *mut Handle,
    ) -> i32;
    fn smelt_session_flush(session: Handle, root: Handle, error: *mut Handle) -> i32;
    fn smelt_session_free(session: Handle);
    fn smelt_result_receipt(result: Handle, receipt: *mut Receipt) -> i32;
    fn smelt_result_free(result: Handle);
}

type Blocks = HashMap<Vec<u8>, Vec<u8>>;

struct Replay<'a> {
    shared: &'a Blocks,
    own: Blocks,
    answers: HashMap<(String, i64), Vec<u8>>,
}

impl Replay<'_> {
    /// Sound: the context of every callback is the replay, which outlives the session and is used by one thread.
    unsafe fn behind<'a>(context: *mut c_void) -> &'a mut Replay<'a> {
        &mut *context.cast()
    }

    fn block(&self, cid: &[u8]) -> Option<&Vec<u8>> {
        self.own.get(cid).or_else(|| self.shared.get(cid))
    }

    fn answer(&self, source: &str, epoch: i64, digest: *mut u8) -> i32 {
        let known = self.answers.get(&(source.to_string(), epoch));
        let bytes = known.map_or(&b"i_am_random_____i_am_random_____"[..], |bytes| bytes);
        // Sound: the header promises 32 bytes.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), digest, 32) };
        OK
    }
}

extern "C" fn get(context: *mut c_void, cid: Bytes, block: *mut c_void) -> i32 {
    unsafe {
        match Replay::behind(context).block(cid.value()) {
            Some(data) => smelt_buffer_set(block, data.as_ptr(), data.len()),
            None => NOT_FOUND,
        }
    }
}

extern "C" fn has(context: *mut c_void, cid: Bytes) -> i32 {
    unsafe { Replay::behind(context).block(cid.value()).map_or(NOT_FOUND, |_| OK) }
}

extern "C" fn put(context: *mut c_void, blocks: *const Block, count: usize) -> i32 {
    unsafe {
        for row in slice::from_raw_parts(blocks, count) {
            Replay::behind(context).own.insert(row.cid.value().to_vec(), row.data.value().to_vec());
        }
    }
    OK
}

extern "C" fn chain_randomness(context: *mut c_void, epoch: i64, digest: *mut u8) -> i32 {
    unsafe { Replay::behind(context).answer("chain", epoch, digest) }
}

extern "C" fn beacon_randomness(context: *mut c_void, epoch: i64, digest: *mut u8) -> i32 {
    unsafe { Replay::behind(context).answer("beacon", epoch, digest) }
}

fn check(status: i32, error: Handle) -> Result<(), String> {
    if status == OK {
        return Ok(());
    }
    let text = unsafe { CStr::from_ptr(smelt_error_text(error)) }.to_string_lossy().into_owned();
    unsafe { smelt_error_free(error) };
    Err(format!("status {status}: {text}"))
}

fn read_blocks(path: &Path) -> Blocks {
    let data = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut rest = &data[..];
    let mut blocks = Blocks::new();
    while !rest.is_empty() {
        let (cid, behind) = item(rest);
        let (block, behind) = item(behind);
        blocks.insert(cid.to_vec(), block.to_vec());
        rest = behind;
    }
    blocks
}

/// The first item of a file of blocks, and what follows it.
fn item(data: &[u8]) -> (&[u8], &[u8]) {
    let (head, rest) = data.split_at(4);
    rest.split_at(u32::from_le_bytes(head.try_into().unwrap()) as usize)
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = if text == "-" { "" } else { text };
    (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn run(engine: Handle, shared: &Blocks, path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let mut replay =
        Replay { shared, own: read_blocks(&path.with_extension("blocks")), answers: HashMap::new() };
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
    let words = |name: &str| lines.iter().find(|words| words[0] == name).unwrap();
    let number = |text: &str| text.parse::<u64>().unwrap();
    let amount = |name: &str| Amount { high: number(words(name)[1]), low: number(words(name)[2]) };
    for words in lines.iter().filter(|words| words[0] == "randomness") {
        replay.answers.insert((words[1].to_string(), words[2].parse().unwrap()), unhex(words[3]));
    }
    let root = unhex(words("state_root")[1]);
    let epoch = Epoch {
        size: std::mem::size_of::<Epoch>(),
        network_version: number(words("network_version")[1]) as u32,
        chain_id: number(words("chain_id")[1]),
        epoch: words("epoch")[1].parse().unwrap(),
        timestamp: number(words("timestamp")[1]),
        base_fee: amount("base_fee"),
        circulating_supply: amount("circulating_supply"),
        state_root: Bytes::of(&root),
        debugging: 0,
        tracing: 0,
    };
    let context: *mut c_void = ptr::addr_of_mut!(replay).cast();
    let callbacks = StoreCallbacks {
        size: std::mem::size_of::<StoreCallbacks>(),
        context,
        get: Some(get),
        has: Some(has),
        put: Some(put),
        finalize: None,
    };
    let outside = Outside {
        size: std::mem::size_of::<Outside>(),
        context,
        chain_randomness: Some(chain_randomness),
        beacon_randomness: Some(beacon_randomness),
        others: [ptr::null(); 4],
        proofs: PROOFS_CONFORMANCE,
    };
    let (mut error, mut store, mut session) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    unsafe {
        check(smelt_store_new(&callbacks, &mut store, &mut error), error)?;
        let status = smelt_session_new(engine, store, ptr::null(), &mut session, &mut error);
        smelt_store_free(store);
        check(status, error)?;
    }
    let outcome = (|| unsafe {
        check(smelt_session_begin(session, &epoch, &outside, &mut error), error)?;
        for words in lines.iter().filter(|words| words[0] == "message") {
            let (message, mut result) = (unhex(words[1]), ptr::null_mut());
            let kind = words[3].parse().unwrap();
            let status =
                smelt_session_apply(session, Bytes::of(&message), number(words[2]), kind, &mut result, &mut error);
            check(status, error)?;
            let mut receipt: Receipt = std::mem::zeroed();
            receipt.size = std::mem::size_of::<Receipt>();
            smelt_result_receipt(result, &mut receipt);
            let found = (u64::from(receipt.exit_code), receipt.gas_used, receipt.return_data.value().to_vec());
            smelt_result_free(result);
            let wanted = (number(words[4]), number(words[5]), unhex(words[6]));
            if found != wanted {
                return Err(format!("receipt {found:?}, expected {wanted:?}"));
            }
        }
        let buffer = smelt_buffer_new();
        let status = smelt_session_flush(session, buffer, &mut error);
        let found = smelt_buffer_bytes(buffer).value().to_vec();
        smelt_buffer_free(buffer);
        check(status, error)?;
        if found == unhex(words("final_root")[1]) { Ok(()) } else { Err("another state root".to_string()) }
    })();
    unsafe { smelt_session_free(session) };
    outcome
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if arguments.len() != 3 {
        eprintln!("usage: replay OBJECTS CASES");
        process::exit(64);
    }
    let directory = CString::new(arguments[1].as_str()).unwrap();
    let options = EngineOptions {
        size: std::mem::size_of::<EngineOptions>(),
        store_directory: directory.as_ptr(),
        worker: ptr::null(),
        bounds: 0,
        tier: 0,
        cpu_level: 0,
        jobs: 0,
        no_signals: 0,
    };
    let (mut engine, mut error) = (ptr::null_mut(), ptr::null_mut());
    if let Err(reason) = check(unsafe { smelt_engine_new(&options, &mut engine, &mut error) }, error) {
        eprintln!("{reason}");
        process::exit(1);
    }
    let cases = Path::new(&arguments[2]);
    let shared = read_blocks(&cases.join("shared.blocks"));
    let mut paths: Vec<_> = fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().map_or(false, |extension| extension == "case"));
    paths.sort();
    let (mut passed, mut failed) = (0, 0);
    for path in &paths {
        match run(engine, &shared, path) {
            Ok(()) => passed += 1,
            Err(reason) => {
                eprintln!("{}: {reason}", path.display());
                failed += 1;
            }
        }
    }
    unsafe { smelt_engine_free(engine) };
    println!("{passed} passed, {failed} failed");
    process::exit(if failed == 0 && passed > 0 { 0 } else { 1 });
}
