// SPDX-License-Identifier: Apache-2.0

package rules

// Chile's number of identity and of tax payers.
var _ = nationalNumber("cl_rut", Rule{
	Pack:      PII,
	Canonical: alnumOnly,
	Number: &Number{
		Forms: []string{"dd.ddd.ddd-*", "d.ddd.ddd-*"},
		Valid: func(d []int) bool {
			sum, last := 0, len(d)-1
			for k := range last {
				sum += d[last-1-k] * (2 + k%6)
			}
			check := 11 - sum%11
			switch {
			case check == 11:
				check = 0
			case check == 10:
				check = 20 // K
			}
			return check == d[last]
		},
	},
	Gone:        []Example{{"cliente 12.531.909-2 ok", "12.531.909-2"}, {"rut=12.531.909-2", "12.531.909-2"}},
	Stay:        []string{"12.531.909-3", "version 1.12.531.909-2"},
	Takes:       "Chile's RUT: 12.531.909-2",
	ValidatedBy: "its form, check digit",
	Source:      "Servicio de Impuestos Internos",
})
