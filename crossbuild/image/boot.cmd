# U-Boot's part of the A/B scheme. The state has two copies in the partition "env", each with a
# checksum. The one with the higher SEQ is valid; the other one is written, so a power failure while
# writing damages only that one. Numbers are hexadecimal. usr/lib/payterm/slots writes the same format
# under Linux.
${devtype} dev ${devnum}
part start ${devtype} ${devnum} 2 at0
setexpr at1 ${at0} + 80
setenv state SEQ BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT BOOT_TRIAL
setenv read0 ${ramdisk_addr_r}
setexpr read1 ${ramdisk_addr_r} + 10000
setenv BOOT_ORDER "A B"
setenv BOOT_A_LEFT 3
setenv BOOT_B_LEFT 3
setenv BOOT_TRIAL none
setenv seq0 0
setenv seq1 0
${devtype} read ${read0} ${at0} 20
if env import -c ${read0} 4000 SEQ; then setenv seq0 ${SEQ}; fi
${devtype} read ${read1} ${at1} 20
if env import -c ${read1} 4000 SEQ; then setenv seq1 ${SEQ}; fi
setenv SEQ 0
setenv write ${at0}
if itest ${seq1} -gt ${seq0}; then
	env import -c ${read1} 4000 ${state}
elif itest ${seq0} -gt 0; then
	env import -c ${read0} 4000 ${state}
	setenv write ${at1}
fi

setenv slot
for s in ${BOOT_ORDER}; do
	if test -n "${slot}"; then
		true
	elif test ${s} = A && test ${BOOT_A_LEFT} -gt 0; then
		setenv slot A
		setenv part 3
		setexpr BOOT_A_LEFT ${BOOT_A_LEFT} - 1
	elif test ${s} = B && test ${BOOT_B_LEFT} -gt 0; then
		setenv slot B
		setenv part 4
		setexpr BOOT_B_LEFT ${BOOT_B_LEFT} - 1
	fi
done
# No slot has tries left: start over. A terminal never stops trying.
if test -z "${slot}"; then
	setenv BOOT_A_LEFT 3
	setenv BOOT_B_LEFT 3
fi
setexpr SEQ ${SEQ} + 1
env export -c -s 4000 ${read0} ${state}
${devtype} write ${read0} ${write} 20
echo "payterm: slot ${slot} of ${BOOT_ORDER}, left A ${BOOT_A_LEFT} B ${BOOT_B_LEFT}, on trial ${BOOT_TRIAL}"
test -n "${slot}" || reset

# fdt_addr is the address of the device tree from the firmware or QEMU.
setenv bootargs "payterm.slot=${slot} rauc.slot=${slot} panic=5 fsck.repair=yes quiet systemd.show_status=no systemd.gpt_auto=0 ${consoles}"
load ${devtype} ${devnum}:${part} ${kernel_addr_r} /boot/vmlinuz || reset
load ${devtype} ${devnum}:${part} ${ramdisk_addr_r} /boot/initrd || reset
booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${fdt_addr}
reset
