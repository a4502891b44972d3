// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector instructions that convert between 32 and 64 bits, integers and floats.
// To integers: towards zero, saturated, a NaN is zero.

#include "test/standin/Core/Half.h"
#include "test/standin/Core/Lanes.h"
#include "test/standin/Core/Tables.h"

#include <cmath>

namespace sparkle::standin {
namespace {

float fromSigned(int32_t a) { return float(a); }
float fromUnsigned(uint32_t a) { return float(a); }
template <unsigned Byte> float fromByte(uint32_t a) {
  return float(a >> Byte * 8 & 255);
}
double doubleFromSigned(int32_t a) { return a; }
double doubleFromUnsigned(uint32_t a) { return a; }
double widened(float a) { return a; }
float narrowed(double a) { return float(a); }

uint32_t unsignedOf(double a) {
  return a > 0 ? a >= 4294967295.0 ? ~0u : uint32_t(a) : 0;
}
int32_t signedOf(double a) {
  if (!(a == a))
    return 0;
  return a >= 2147483647.0    ? INT32_MAX
         : a <= -2147483648.0 ? INT32_MIN
                              : int32_t(a);
}
uint32_t toUnsigned(float a) { return unsignedOf(a); }
int32_t toSigned(float a) { return signedOf(a); }
uint32_t doubleToUnsigned(double a) { return unsignedOf(a); }
int32_t doubleToSigned(double a) { return signedOf(a); }
int32_t toNearest(float a) { return signedOf(std::floor(double(a) + 0.5)); }
int32_t toFloor(float a) { return signedOf(std::floor(double(a))); }

uint32_t packed(uint16_t low, uint16_t high) {
  return low | uint32_t(high) << 16;
}
uint32_t packToZero(float a, float b) {
  return packed(doubleToHalf(a, 3), doubleToHalf(b, 3));
}
uint16_t limitUnsigned(uint32_t a) { return a > 0xffff ? 0xffff : a; }
uint16_t limitSigned(int32_t a) {
  return a > 32767 ? 32767 : a < -32768 ? -32768 : a;
}
uint32_t packUnsigned(uint32_t a, uint32_t b) {
  return packed(limitUnsigned(a), limitUnsigned(b));
}
uint32_t packSigned(int32_t a, int32_t b) {
  return packed(limitSigned(a), limitSigned(b));
}
uint32_t packFloatSigned(float a, float b) {
  return packSigned(signedOf(a), signedOf(b));
}
uint32_t packFloatUnsigned(float a, float b) {
  return packUnsigned(unsignedOf(a), unsignedOf(b));
}

constexpr Operation kConvert[] = {
    operation<fromSigned>("v_cvt_f32_i32"),
    operation<fromUnsigned>("v_cvt_f32_u32"),
    operation<fromByte<0>>("v_cvt_f32_ubyte0"),
    operation<fromByte<1>>("v_cvt_f32_ubyte1"),
    operation<fromByte<2>>("v_cvt_f32_ubyte2"),
    operation<fromByte<3>>("v_cvt_f32_ubyte3"),
    operation<doubleFromSigned>("v_cvt_f64_i32"),
    operation<doubleFromUnsigned>("v_cvt_f64_u32"),
    operation<widened>("v_cvt_f64_f32"),
    operation<narrowed>("v_cvt_f32_f64"),
    operation<toUnsigned>("v_cvt_u32_f32"),
    operation<toSigned>("v_cvt_i32_f32"),
    operation<doubleToUnsigned>("v_cvt_u32_f64"),
    operation<doubleToSigned>("v_cvt_i32_f64"),
    operation<toNearest>("v_cvt_rpi_i32_f32"),
    operation<toNearest>("v_cvt_nearest_i32_f32"),
    operation<toFloor>("v_cvt_flr_i32_f32"),
    operation<toFloor>("v_cvt_floor_i32_f32"),
    operation<packToZero>("v_cvt_pkrtz_f16_f32"),
    operation<packToZero>("v_cvt_pk_rtz_f16_f32"),
    operation<packUnsigned>("v_cvt_pk_u16_u32"),
    operation<packSigned>("v_cvt_pk_i16_i32"),
    operation<packFloatSigned>("v_cvt_pk_i16_f32"),
    operation<packFloatUnsigned>("v_cvt_pk_u16_f32"),
};

} // namespace

Operations SPARKLE_STANDIN_TABLE(Convert)() {
  return {kConvert, sizeof(kConvert) / sizeof(*kConvert)};
}

} // namespace sparkle::standin
