package main

type bundleCmd struct{ store }

func (c bundleCmd) Run() error { return nil }
