// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The folder of sysfs in which libdrm finds the name of a node's primary node.
// By that name it tells cards apart; where it finds none, it takes two nodes
// for one card.

#ifndef SPARKLE_TEST_STANDIN_DRIVER_FOLDER_H
#define SPARKLE_TEST_STANDIN_DRIVER_FOLDER_H

#include <dirent.h>

namespace sparkle::standin {

/// Of the card with that number. What it gives is ours, not the C library's.
DIR *openFolder(unsigned index);
bool isOurs(DIR *folder);
/// Null at the end.
dirent *readFolder(DIR *folder);
void closeFolder(DIR *folder);

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_DRIVER_FOLDER_H
