# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# machine.py IN.ll OUT.ll: puts calls of functions in place of CPUID and XGETBV,
# and makes the choice that was taken a variable that the program sees.

import re
import sys

TEXT = """
declare void @ask_cpuid(i32, i32, ptr)
declare i32 @ask_xgetbv()
define internal { i32, i32, i32, i32 } @fake_cpuid(i32 %leaf, i32 %subleaf) {
  %place = alloca { i32, i32, i32, i32 }
  call void @ask_cpuid(i32 %leaf, i32 %subleaf, ptr %place)
  %result = load { i32, i32, i32, i32 }, ptr %place
  ret { i32, i32, i32, i32 } %result
}
define internal { i32, i32 } @fake_xgetbv(i32 %number) {
  %low = call i32 @ask_xgetbv()
  %result = insertvalue { i32, i32 } zeroinitializer, i32 %low, 0
  ret { i32, i32 } %result
}
"""

with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()
for name in ("cpuid", "xgetbv"):
    text, count = re.subn(r'asm sideeffect "' + name + r'", "[^"]*"',
                          "@fake_" + name, text)
    assert count, name
text, count = re.subn(r"@sparkle\.chosen = internal (unnamed_addr )?global",
                      "@sparkle.chosen = global", text)
assert count == 1
text = text.replace("@sparkle.chosen", "@sparkle_chosen")
with open(sys.argv[2], "w", encoding="utf-8") as file:
    file.write(text + TEXT)
