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

/// A zeroed, shared array of fixed length.
pub(crate) struct Pages<T: Plain> {
    start: std::ptr::NonNull<T>,
    length: usize,
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
        Some(Pages { start: allocate(bytes)?.cast(), length })
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

#[cfg(unix)]
fn allocate(bytes: usize) -> Option<std::ptr::NonNull<u8>> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
    // SAFETY: a private anonymous mapping at an address of the system's choice touches no memory of ours.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return None;
    }
    #[cfg(target_os = "linux")]
    // SAFETY: advice about the mapping just made; whether it is taken does not matter.
    unsafe {
        libc::madvise(start, bytes, libc::MADV_HUGEPAGE);
    }
    std::ptr::NonNull::new(start.cast())
}

#[cfg(not(unix))]
fn layout(bytes: usize) -> Option<std::alloc::Layout> {
    std::alloc::Layout::from_size_align(bytes, 64).ok()
}

#[cfg(not(unix))]
fn allocate(bytes: usize) -> Option<std::ptr::NonNull<u8>> {
    // SAFETY: the size is at least that of one element.
    std::ptr::NonNull::new(unsafe { std::alloc::alloc_zeroed(layout(bytes)?) })
}

impl<T: Plain> Drop for Pages<T> {
    fn drop(&mut self) {
        let bytes = self.length * size_of::<T>();
        #[cfg(unix)]
        // SAFETY: exactly the mapping that `allocate` made; no reference to it outlives `self`.
        unsafe {
            libc::munmap(self.start.as_ptr().cast(), bytes);
        }
        #[cfg(not(unix))]
        if let Some(layout) = layout(bytes) {
            // SAFETY: exactly what `allocate` gave; no reference to it outlives `self`.
            unsafe { std::alloc::dealloc(self.start.as_ptr().cast(), layout) }
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
    fn what_cannot_be_had_is_none() {
        assert!(Pages::<AtomicU64>::zeroed(usize::MAX / 4).is_none());
        assert!(Pages::<AtomicU64>::zeroed(usize::MAX / 64).is_none());
    }
}
