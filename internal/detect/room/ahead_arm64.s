#include "textflag.h"

// func ahead(p unsafe.Pointer)
TEXT ·ahead(SB), NOSPLIT, $0-8
	MOVD p+0(FP), R0
	PRFM (R0), PLDL1KEEP
	RET
