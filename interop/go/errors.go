// Names of TChannel's error codes, as the tests write them.
package main

import (
	"errors"

	"github.com/uber/tchannel-go"
)

var errorCodes = map[string]tchannel.SystemErrCode{
	"timeout":     tchannel.ErrCodeTimeout,
	"cancelled":   tchannel.ErrCodeCancelled,
	"busy":        tchannel.ErrCodeBusy,
	"declined":    tchannel.ErrCodeDeclined,
	"unexpected":  tchannel.ErrCodeUnexpected,
	"bad-request": tchannel.ErrCodeBadRequest,
	"network":     tchannel.ErrCodeNetwork,
	"fatal":       tchannel.ErrCodeProtocol,
}

// errorName is the name of an error's code; "other" when the error is none of TChannel's.
func errorName(err error) string {
	// An error frame that ends a call while its answer is read is not a SystemError itself, but tells one.
	var told interface{ AsSystemError() error }
	if errors.As(err, &told) {
		err = told.AsSystemError()
	}
	var system tchannel.SystemError
	if errors.As(err, &system) {
		for name, code := range errorCodes {
			if code == system.Code() {
				return name
			}
		}
	}
	return "other"
}
