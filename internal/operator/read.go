package operator

import "trivia/internal/store"

// ReadWins returns what looks at wins while more of them arrive.
func (o *Operator) ReadWins() store.WinReader { return o.store.ReadWins() }

// ReadDeliveries returns what looks at deliveries while more of them arrive.
func (o *Operator) ReadDeliveries() store.DeliveryReader { return o.store.ReadDeliveries() }

// ReadEvents returns what looks at events while more of them arrive.
func (o *Operator) ReadEvents() store.EventReader { return o.store.ReadEvents() }

// ReadPushes returns what looks at pushes while more of them arrive.
func (o *Operator) ReadPushes() store.PushReader { return o.store.ReadPushes() }

// ReadDeeds returns what looks at the audit log while it grows.
func (o *Operator) ReadDeeds() store.DeedReader { return o.store.ReadDeeds() }
