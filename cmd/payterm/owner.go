package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"payterm/internal/beneath"

	"golang.org/x/sys/unix"
)

// ownerOf is the user whose rights root takes for a data directory; 0 if it is root's own, or
// missing. Its owner decides what is in it: a link to a file that only root may read, a FIFO, a
// journal made to exploit its reader. So root reads nothing there.
func ownerOf(data string) (uid, gid int, err error) {
	uid, gid, err = beneath.Owner(data)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil // nobody can have placed anything in it
	}
	if err != nil {
		return 0, 0, fmt.Errorf("data directory: %w", err)
	}
	// The group is the owner's, if it can be found.
	if who, err := user.LookupId(strconv.Itoa(uid)); err == nil && uid != 0 {
		if gid, err = strconv.Atoi(who.Gid); err != nil {
			return 0, 0, fmt.Errorf("data directory: the group of %s: %w", who.Username, err)
		}
	}
	return uid, gid, nil
}

// rootsOwn is an error if somebody else than root may change a path; nil for a missing one.
func rootsOwn(path string) error {
	uid, _, err := beneath.Owner(path)
	switch {
	case os.Geteuid() != 0, errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case uid != 0:
		return fmt.Errorf("%s is in a directory where user %d can create files", path, uid)
	}
	return nil
}

// asOwner gives up root's rights for good. Each command with a data directory does so before it
// runs, with the exceptions below: updates need root's rights, and ask another process about the
// data. Other users have nothing to give up.
func (s store) asOwner() error {
	if os.Geteuid() != 0 {
		return nil
	}
	uid, gid, err := ownerOf(s.Data)
	if err != nil || uid == 0 {
		return err
	}
	if err = syscall.Setgroups([]int{gid}); err == nil {
		err = syscall.Setresgid(gid, gid, gid)
	}
	if err == nil {
		err = syscall.Setresuid(uid, uid, uid)
	}
	if err != nil {
		return fmt.Errorf("%s belongs to user %d, whose rights cannot be taken here: %w: run this as that user", s.Data,
			uid, err)
	}
	if errors.Is(unix.Access(s.Data, unix.X_OK), unix.EACCES) { // a copy in a private folder of root's
		return fmt.Errorf("%s belongs to user %d; root reads it with his rights, and he cannot reach it: chmod o+x the directories above it", s.Data, uid)
	}
	return nil
}

func (updateInstallCmd) asOwner() error    { return nil }
func (updateConfirmCmd) asOwner() error    { return nil }
func (provisionInstallCmd) asOwner() error { return nil } // it refuses to run as root

// ownData refuses to write files into the data directory that the agent could not read, or whose
// place the agent could redirect.
func ownData(data, command string) error {
	uid := os.Geteuid()
	if uid == 0 {
		owner, _, err := ownerOf(data)
		if err != nil {
			return err
		}
		uid = owner
	} else if info, err := os.Stat(data); err == nil {
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			uid = int(s.Uid)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("data directory: %w", err)
	}
	if uid != os.Geteuid() {
		return fmt.Errorf("%s belongs to another user (%d): run this as that user, such as sudo -u payterm payterm %s",
			data, uid, command)
	}
	return nil
}
