//! How much memory the process has held.

/// The most that the process has had in memory at once, bytes, since its start or the last [`forget_peak`].
/// `None` where the system does not say.
pub fn peak() -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    of_status(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// Counts [`peak`] from what is held now. `false` where the system does not let that be done.
pub fn forget_peak() -> bool {
    // 5: "reset the peak resident set size" (proc(5)).
    cfg!(target_os = "linux") && std::fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// `VmHWM` of Linux's `/proc/<process>/status`, which is in KiB.
fn of_status(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_where_linux_says_it() {
        let status = "Name:\ttag2mask\nVmPeak:\t  900 kB\nVmHWM:\t   123 kB\nVmRSS:\t  100 kB\n";
        assert_eq!(of_status(status), Some(123 << 10));
        assert_eq!(of_status("Name:\tx\nVmHWM: many kB\n"), None);
        assert_eq!(peak().is_some(), cfg!(target_os = "linux"));
    }
}
