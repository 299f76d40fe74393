//! The torch addon's process group, as seen by the kernels.

use std::sync::Arc;

use napi::bindgen_prelude::BigInt;
use recurra_binding::IntoJs;
use recurra_core::collective::Collective;
use recurra_core::{Result, guard};
use recurra_kernels::network::Exchange;

struct Group(Collective);

impl Exchange for Group {
    fn rank(&self) -> usize {
        self.0.rank()
    }

    fn size(&self) -> usize {
        self.0.size()
    }

    fn all_reduce(&self, values: &mut [f32]) -> Result<()> {
        self.0.all_reduce(values)
    }

    fn all_gather(&self, bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
        self.0.all_gather_parts(bytes)
    }
}

/// The group at an address that `ProcessGroup.table()` returned; `None` if no address is given.
pub(crate) fn group_at(table: Option<&BigInt>) -> napi::Result<Option<Arc<dyn Exchange>>> {
    let Some(table) = table else { return Ok(None) };
    let (_, address, exact) = table.get_u64();
    // SAFETY: the address comes from the other addon, whose group the caller keeps open during this call. Anything else
    // becomes 0.
    let open = || unsafe { Collective::from_address(if exact { address } else { 0 }) };
    let group: Arc<dyn Exchange> = Arc::new(Group(guard(open).js()?));
    Ok(Some(group))
}
