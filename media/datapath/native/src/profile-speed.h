// The SRTP profile that is faster on this processor: GCM with AES instructions, possibly the other one without.
#pragma once
#include "srtp.h"

namespace rushlight {

// Measures for a few milliseconds.
SrtpProfile measureFasterProfile();

}  // namespace rushlight
