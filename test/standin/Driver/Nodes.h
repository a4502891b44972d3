// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The render nodes of the stand-in, and which of a program's descriptors are
// theirs.

#ifndef SPARKLE_TEST_STANDIN_DRIVER_NODES_H
#define SPARKLE_TEST_STANDIN_DRIVER_NODES_H

#include "test/standin/Driver/Kernel/File.h"

#include <sys/stat.h>

namespace sparkle::standin {

/// Whose a path is. Foreign: a render node that no card of the stand-in has;
/// the machine's own are hidden.
enum class Owner { Nobody, Ours, Foreign };
Owner findNode(const char *path, unsigned &index);

/// The same of the folder of a node's device in sysfs.
Owner findDevice(const char *path, unsigned &index);

/// A new descriptor, or a negative error.
int openNode(unsigned index, int flags);
/// Null: the descriptor is none of ours.
std::shared_ptr<File> findFile(int descriptor);
/// Before and after a descriptor is closed: the last one ends its file.
void forgetClosed(const std::shared_ptr<File> &file);

/// As stat: of a node, and of its device in sysfs.
void describeNode(unsigned index, struct stat &result);
/// False: the descriptor is none of ours.
bool describeDescriptor(int descriptor, struct stat &result);

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_DRIVER_NODES_H
