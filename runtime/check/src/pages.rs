//! Memory straight from the operating system, on huge pages where it has them; prefetching; resident memory.
//!
//! The only module with `unsafe` code. It hands out slices and numbers; nothing outside can misuse them.

#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU32, AtomicU64};

/// What zeroed memory may be read as.
///
/// # Safety
/// Every bit pattern is a value of the type, it needs no drop, and its alignment divides the size of a page.
pub(crate) unsafe trait Plain: Send + Sync {}

// SAFETY: integers take every bit pattern, need no drop, and are aligned to at most 8 bytes.
unsafe impl Plain for AtomicU64 {}
// SAFETY: as above.
unsafe impl Plain for AtomicU32 {}

/// A zeroed, shared array that can grow where it is.
pub(crate) struct Pages<T: Plain> {
    start: std::ptr::NonNull<T>,
    length: usize,
    room: Room,
}

// SAFETY: `Pages` owns its memory as a box of a slice would, and `T` may be sent.
unsafe impl<T: Plain> Send for Pages<T> {}
// SAFETY: only shared references to the elements are handed out, and `T` may be shared.
unsafe impl<T: Plain> Sync for Pages<T> {}

impl<T: Plain> Pages<T> {
    /// `length` zeroes (at least one); None where the system has no memory for them.
    pub(crate) fn zeroed(length: usize) -> Option<Self> {
        let length = length.max(1);
        let bytes = length.checked_mul(size_of::<T>())?;
        let room = Room::of(bytes)?;
        Some(Pages { start: room.start.cast(), length, room })
    }

    /// Makes the array longer, by zeroes. False where the system has no memory for them, and then nothing changed.
    pub(crate) fn grow(&mut self, length: usize) -> bool {
        let Some(bytes) = length.checked_mul(size_of::<T>()) else { return false };
        if length <= self.length {
            return true;
        }
        if !self.room.open(bytes) {
            let Some(room) = Room::of(bytes) else { return false };
            let held = self.length * size_of::<T>();
            // SAFETY: both are mappings of at least `held` bytes, and different ones; nobody else has a reference to either.
            unsafe { std::ptr::copy_nonoverlapping(self.room.start.as_ptr(), room.start.as_ptr(), held) };
            (self.start, self.room) = (room.start.cast(), room);
        }
        self.length = length;
        true
    }

    /// The array.
    pub(crate) fn as_slice(&self) -> &[T] {
        // SAFETY: `start` points to `length` zeroed or since written elements, owned by `self` until it is dropped.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }

    /// How much memory the array takes.
    pub(crate) fn bytes(&self) -> u64 {
        (self.length * size_of::<T>()) as u64
    }

    /// Asks for the cache line of `index`, which is needed soon.
    #[inline]
    pub(crate) fn prefetch(&self, index: usize) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            let place = self.start.as_ptr().wrapping_add(index);
            // SAFETY: a prefetch is a hint; it reads nothing and faults on no address.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = index;
    }
}

/// Addresses for an array, of which some are in use.
struct Room {
    start: std::ptr::NonNull<u8>,
    /// What was asked of the system: it begins at or before `start`.
    mapping: (std::ptr::NonNull<u8>, usize),
    /// How many bytes from `start` may be opened.
    bytes: usize,
}

/// How many bytes of addresses an array is given to grow into, where addresses are plenty. Nothing stands behind them until it does.
#[cfg(all(unix, target_pointer_width = "64"))]
const RESERVED: usize = 1 << 36;
#[cfg(all(unix, not(target_pointer_width = "64")))]
const RESERVED: usize = 0;

/// The size and the alignment of huge pages.
#[cfg(unix)]
const HUGE: usize = 2 << 20;

#[cfg(unix)]
impl Room {
    /// Room with so many zeroed bytes open; None where there is no memory.
    fn of(bytes: usize) -> Option<Room> {
        // Where so many addresses are not to be had, there is no more room than for what is asked for.
        Room::reserve(bytes.max(RESERVED)).filter(|room| room.open(bytes)).or_else(|| {
            let room = Room::reserve(bytes)?;
            room.open(bytes).then_some(room)
        })
    }

    fn reserve(bytes: usize) -> Option<Room> {
        let all = bytes.checked_add(HUGE)?;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE;
        // SAFETY: a private anonymous mapping at an address of the system's choice touches no memory of ours.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), all, libc::PROT_NONE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return None;
        }
        let base = std::ptr::NonNull::new(base.cast::<u8>())?;
        let away = base.as_ptr().align_offset(HUGE);
        // SAFETY: less than `HUGE` bytes on, and the mapping is longer than that.
        let start = unsafe { base.add(away) };
        Some(Room { start, mapping: (base, all), bytes })
    }

    /// Opens the first so many bytes; those that were not open are zeroes. False where there is no room, or no memory.
    fn open(&self, bytes: usize) -> bool {
        if bytes > self.bytes {
            return false;
        }
        let start = self.start.as_ptr().cast();
        // SAFETY: within the mapping, of which nobody has any reference but to what stays readable and writable.
        let opened = unsafe { libc::mprotect(start, bytes, libc::PROT_READ | libc::PROT_WRITE) } == 0;
        #[cfg(target_os = "linux")]
        if opened {
            // SAFETY: advice about that mapping; whether it is taken does not matter.
            unsafe {
                libc::madvise(start, bytes, libc::MADV_HUGEPAGE);
            }
        }
        opened
    }
}

#[cfg(unix)]
impl Drop for Room {
    fn drop(&mut self) {
        let (base, bytes) = self.mapping;
        // SAFETY: exactly the mapping that was made; no reference to it outlives its owner.
        unsafe {
            libc::munmap(base.as_ptr().cast(), bytes);
        }
    }
}

#[cfg(not(unix))]
impl Room {
    fn layout(bytes: usize) -> Option<std::alloc::Layout> {
        std::alloc::Layout::from_size_align(bytes, 64).ok()
    }

    fn of(bytes: usize) -> Option<Room> {
        // SAFETY: the size is at least that of one element.
        let start = std::ptr::NonNull::new(unsafe { std::alloc::alloc_zeroed(Room::layout(bytes)?) })?;
        Some(Room { start, mapping: (start, bytes), bytes })
    }

    fn open(&self, bytes: usize) -> bool {
        bytes <= self.bytes
    }
}

#[cfg(not(unix))]
impl Drop for Room {
    fn drop(&mut self) {
        let (base, bytes) = self.mapping;
        if let Some(layout) = Room::layout(bytes) {
            // SAFETY: exactly what was given; no reference to it outlives its owner.
            unsafe { std::alloc::dealloc(base.as_ptr(), layout) }
        }
    }
}

/// The most memory that this process ever had resident, in bytes, where the system says.
#[cfg(unix)]
pub(crate) fn resident_peak() -> Option<u64> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the call fills in the structure that it is given, for this very process.
    let failed = unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) } != 0;
    if failed {
        return None;
    }
    // SAFETY: zeroed is a value of this structure of integers, and the call has filled it in.
    let most = unsafe { usage.assume_init() }.ru_maxrss;
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    u64::try_from(most).ok().map(|most| most * unit)
}

/// The most memory that this process ever had resident: not known here.
#[cfg(not(unix))]
pub(crate) fn resident_peak() -> Option<u64> {
    None
}

/// The memory that this process has resident now, in bytes, where the system says.
#[cfg(target_os = "linux")]
pub(crate) fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    // SAFETY: asks for a number.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    Some(pages * u64::try_from(size).ok()?)
}

/// The memory that this process has resident now: not known here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn resident() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn pages_are_zeroed_and_writable_to_the_end() {
        let pages = Pages::<AtomicU64>::zeroed(1 << 16).expect("there is memory");
        assert!(pages.as_slice().iter().all(|cell| cell.load(Ordering::Relaxed) == 0));
        pages.as_slice()[(1 << 16) - 1].store(7, Ordering::Relaxed);
        pages.prefetch(1 << 40);
        assert_eq!(pages.as_slice()[(1 << 16) - 1].load(Ordering::Relaxed), 7);
        assert_eq!(pages.bytes(), 8 << 16);
    }

    #[test]
    fn an_array_grows_with_its_content() {
        let mut pages = Pages::<AtomicU64>::zeroed(1000).expect("there is memory");
        for length in [1001, 5000, 1 << 20] {
            let last = pages.as_slice().len() - 1;
            pages.as_slice()[last].store(last as u64, Ordering::Relaxed);
            assert!(pages.grow(length));
            assert_eq!(pages.as_slice().len(), length);
            assert_eq!(pages.as_slice()[last].load(Ordering::Relaxed), last as u64);
            assert!(pages.as_slice()[last + 1..].iter().all(|cell| cell.load(Ordering::Relaxed) == 0));
        }
        assert!(!pages.grow(usize::MAX / 4));
        assert_eq!(pages.as_slice().len(), 1 << 20);
    }

    #[test]
    fn an_array_without_room_moves() {
        let mut pages = Pages::<AtomicU64>::zeroed(1000).expect("there is memory");
        pages.as_slice()[999].store(7, Ordering::Relaxed);
        pages.room.bytes = 8000;
        assert!(pages.grow(5000));
        assert_eq!(pages.as_slice()[999].load(Ordering::Relaxed), 7);
        assert!(pages.as_slice()[1000..].iter().all(|cell| cell.load(Ordering::Relaxed) == 0));
    }

    #[test]
    fn what_cannot_be_had_is_none() {
        assert!(Pages::<AtomicU64>::zeroed(usize::MAX / 4).is_none());
        assert!(Pages::<AtomicU64>::zeroed(usize::MAX / 64).is_none());
    }
}
