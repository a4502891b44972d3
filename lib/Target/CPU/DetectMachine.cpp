// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cores and caches of the machine that compiles, for --cpu=native alone:
// every other name has numbers of its own (Describe.cpp).

#include "lib/Target/CPU/CPU.h"

#include <algorithm>
#include <hwloc.h>

namespace sparkle::cpu {

/// Bytes that one core has of a kind of cache: the smallest such share, as the
/// code may run on any core. 0 if nothing is known.
static int64_t getShare(hwloc_topology_t topology, hwloc_obj_type_t kind) {
  int64_t least = 0;
  for (hwloc_obj_t cache = nullptr;
       (cache = hwloc_get_next_obj_by_type(topology, kind, cache));) {
    int cores = hwloc_get_nbobjs_inside_cpuset_by_type(topology, cache->cpuset,
                                                       HWLOC_OBJ_CORE);
    int64_t share =
        static_cast<int64_t>(cache->attr->cache.size) / std::max(cores, 1);
    least = least ? std::min(least, share) : share;
  }
  return least;
}

std::optional<Machine> detectMachine() {
  hwloc_topology_t topology;
  if (hwloc_topology_init(&topology) != 0)
    return std::nullopt;
  // It would visit every processor in turn, and wait for each.
  hwloc_topology_set_components(
      topology, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
  hwloc_topology_set_all_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_NONE);
  hwloc_topology_set_cache_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_ALL);
  hwloc_topology_set_type_filter(topology, HWLOC_OBJ_CORE,
                                 HWLOC_TYPE_FILTER_KEEP_ALL);
  Machine machine;
  if (hwloc_topology_load(topology) == 0)
    machine = {std::max(hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE), 1),
               getShare(topology, HWLOC_OBJ_L1CACHE),
               getShare(topology, HWLOC_OBJ_L2CACHE)};
  hwloc_topology_destroy(topology);
  if (!machine.first || !machine.second)
    return std::nullopt;
  return machine;
}

} // namespace sparkle::cpu
