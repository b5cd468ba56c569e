//! One kernel source, several machine codes: the same safe Rust compiled for each instruction
//! set and chosen at run time. Integer arithmetic only, so every choice gives the same bits.
//!
//! The only file with `unsafe`: two calls that are sound because the CPU features are checked.

/// Work worth compiling for each instruction set.
///
/// `run`, and what it calls where speed matters, must be `#[inline(always)]`: code that is not
/// inlined keeps the baseline instruction set. (A closure would read better, but the compiler does
/// not always inline one into a function with other target features.)
pub trait Kernel {
    type Output;
    fn run(self) -> Self::Output;
}

/// Run a kernel compiled for the widest instruction set this machine has.
#[inline(always)]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if has_avx512() {
            // SAFETY: `has_avx512` asked the processor for every feature that `on_avx512` enables.
            return unsafe { on_avx512(kernel) };
        }
        if has_avx2() {
            // SAFETY: `has_avx2` asked the processor for every feature that `on_avx2` enables.
            return unsafe { on_avx2(kernel) };
        }
    }
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    has_avx2()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn on_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512dq,avx512vl")]
fn on_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}
