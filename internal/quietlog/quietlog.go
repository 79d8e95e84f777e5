// SPDX-License-Identifier: Apache-2.0

// Package quietlog keeps lines of stock code out of the collector's log that say what is not so. A component of ours gives
// such a logger to the stock code that it wraps, and logs by itself what an operator has to know.
package quietlog

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Rules says by message which lines are left out. A function decides by the line's fields; nil leaves out every such line.
type Rules map[string]func(fields []zapcore.Field) bool

// New returns logger without the lines that rules names. The others pass without a stack trace: in wrapped code it leads
// to a line of that code, and no operator can act on it.
func New(logger *zap.Logger, rules Rules) *zap.Logger {
	return logger.WithOptions(zap.WrapCore(func(inner zapcore.Core) zapcore.Core { return core{inner, rules} }))
}

// Error returns the error of a line, nil when it has none.
func Error(fields []zapcore.Field) error {
	for _, field := range fields {
		if err, ok := field.Interface.(error); ok && field.Type == zapcore.ErrorType {
			return err
		}
	}
	return nil
}

type core struct {
	zapcore.Core
	rules Rules
}

func (c core) With(fields []zapcore.Field) zapcore.Core { return core{c.Core.With(fields), c.rules} }

// Check lets the inner core judge, which may sample. What it would write, Write gets first.
func (c core) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if leaveOut, known := c.rules[entry.Message]; known && leaveOut == nil {
		return checked
	}
	if c.Core.Check(entry, nil) == nil {
		return checked
	}
	return checked.AddCore(entry, c)
}

func (c core) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	if leaveOut := c.rules[entry.Message]; leaveOut != nil && leaveOut(fields) {
		return nil
	}
	entry.Stack = ""
	return c.Core.Write(entry, fields)
}
