"""exp, tanh, sigmoid and the normal distribution in float32, made of operations that LLVM turns into vectors.

The polynomials are those of the native engine (csrc/core/math.hpp); errors are within 2 ulp, of the normal distribution
below 1e-7. NaN goes in and comes out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from hyperband.engine.backends.numba_backend.jit import jit

f4 = np.float32
_intrinsic: Any = intrinsic
_MAGIC = f4(12582912.0)  # 1.5 * 2^23: adding it rounds to the nearest whole number
_LOG2E, _LN2_HIGH, _LN2_LOW = f4(1.44269504), f4(0.693359375), f4(-2.12194440e-4)
_E5, _E4, _E3, _E2, _E1 = (
    f4(float.fromhex(h)) for h in ("0x1.6a2352p-10", "0x1.123a6cp-7", "0x1.5558f4p-5", "0x1.555490p-3", "0x1.fffffcp-2")
)
_T5, _T4, _T3, _T2, _T1 = (
    f4(float.fromhex(h))
    for h in ("-0x1.82585ap-8", "0x1.54b8a0p-6", "-0x1.b898dep-5", "0x1.1109aep-3", "-0x1.55553ep-2")
)
_N6, _N5, _N4, _N3, _N2, _N1 = (
    f4(float.fromhex(h))
    for h in (
        "-0x1.b16482p-4", "0x1.8f3baap-2", "-0x1.e55e8cp-3", "0x1.135ddep-2", "0x1.147664p-4", "0x1.dd4510p-4",
    )
)  # fmt: skip
_S9, _S7, _S5, _S3, _S1 = (
    f4(float.fromhex(h))
    for h in ("0x1.3c4b2cp+5", "-0x1.3232fap+6", "0x1.46676ep+6", "-0x1.4abbb6p+5", "0x1.921fb4p+2")
)
_TURNS, _QUARTER = f4(2.0**22), f4(0.25)
_ZERO, _HALF, _ONE, _TWO = f4(0), f4(0.5), f4(1), f4(2)
_LEAST, _MOST, _TEN, _BORDER, _FAR = f4(-60), f4(60), f4(10), f4(0.6), f4(1e4)
_SLOPE, _DENSITY = f4(0.28), f4(0.398942280)
_MAGIC_BITS = np.int32(_MAGIC.view(np.int32))
_BIAS, _SHIFT = np.int32(127), np.int32(23)


@_intrinsic
def bits_of(typing: Any, x: Any) -> Any:
    """The bits of a float32 as an int32."""
    return types.int32(types.float32), lambda context, builder, signature, arguments: builder.bitcast(
        arguments[0], context.get_value_type(types.int32)
    )


@_intrinsic
def float_of(typing: Any, bits: Any) -> Any:
    """The float32 that has these bits."""
    return types.float32(types.int32), lambda context, builder, signature, arguments: builder.bitcast(
        arguments[0], context.get_value_type(types.float32)
    )


@jit
def exp32(x: Any) -> Any:
    """exp(x), with x limited to [-60, 60], so that no subnormal number arises."""
    x = _LEAST if x < _LEAST else x
    x = _MOST if x > _MOST else x
    t = x * _LOG2E + _MAGIC
    n = t - _MAGIC
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    p = (((_E5 * r + _E4) * r + _E3) * r + _E2) * r + _E1
    p = (p * r) * r + r + _ONE
    return p * float_of(np.int32((bits_of(t) - _MAGIC_BITS + _BIAS) << _SHIFT))


@jit
def expm1_32(x: Any) -> Any:
    """exp(x) - 1 for x <= 0, to 3 ulp also near 0; x is limited to -60."""
    x = _LEAST if x < _LEAST else x
    t = x * _LOG2E + _MAGIC
    n = t - _MAGIC
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    p = (((_E5 * r + _E4) * r + _E3) * r + _E2) * r + _E1
    small = (p * r) * r + r
    scale = float_of(np.int32((bits_of(t) - _MAGIC_BITS + _BIAS) << _SHIFT))
    return scale * small + (scale - _ONE)


@jit
def sigmoid32(x: Any) -> Any:
    """1 / (1 + exp(-x))"""
    return _ONE / (_ONE + exp32(-x))


@jit
def tanh32(x: Any) -> Any:
    """tanh(x): a polynomial near 0, else by exp."""
    a = abs(x)
    q = x * x
    p = (((_T5 * q + _T4) * q + _T3) * q + _T2) * q + _T1
    small = (p * q) * x + x
    b = _TEN if a > _TEN else a
    large = _ONE - _TWO / (exp32(b + b) + _ONE)
    return small if a < _BORDER else (-large if x < _ZERO else large)


@jit
def _part_of_turn(u: Any) -> Any:
    u = -_TURNS if u < -_TURNS else u
    u = _TURNS if u > _TURNS else u
    return u - ((u + _MAGIC) - _MAGIC)


@jit
def _sin_quarter(t: Any) -> Any:
    q = t * t
    return t * ((((_S9 * q + _S7) * q + _S5) * q + _S3) * q + _S1)


@jit
def cos_turns32(u: Any) -> Any:
    """cos(2 pi u); beyond 2^22 turns that of a whole or a half turn."""
    return _sin_quarter(_QUARTER - abs(_part_of_turn(u)))


@jit
def sincos_turns32(u: Any) -> Any:
    """sin(2 pi u) and cos(2 pi u)."""
    r = _part_of_turn(u)
    a = abs(r)
    sine = _sin_quarter(_HALF - a if a > _QUARTER else a)
    return (-sine if r < _ZERO else sine), _sin_quarter(_QUARTER - a)


@jit
def normal32(z: Any) -> Any:
    """Phi(z) and its density; Abramowitz & Stegun 7.1.26's form, refitted."""
    a = abs(z)
    e = exp32(-_HALF * z * z)
    s = _ONE / (_SLOPE * (_FAR if a > _FAR else a) + _ONE)
    p = ((((_N6 * s + _N5) * s + _N4) * s + _N3) * s + _N2) * s + _N1
    tail = e * s * p
    return (tail if z < _ZERO else _ONE - tail), e * _DENSITY
