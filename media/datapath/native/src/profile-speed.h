// Which SRTP profile this processor does faster: with AES instructions that is GCM, without them it may be the other.
#pragma once
#include "srtp.h"

namespace rushlight {

// Measures for some milliseconds.
SrtpProfile measureFasterProfile();

}  // namespace rushlight
