"""PCI: finding disks wherever they are, and refusing what cannot be used."""

from pagewise import Machine, cases, log_path, only, test


def second_disk(*device):
    """Options for a small disk more."""
    path = log_path(".disk").replace(",", "")  # QEMU's own separator
    with open(path, "wb") as f:
        f.truncate(1 << 20)
    return ["-drive", f"file={path},if=none,format=raw,id=x1", *device]


PLACES = {
    "bridge": (
        "-device", "pci-bridge,id=b1,chassis_nr=1,addr=0x10",
        "-device", "virtio-blk-pci,drive=x1,bus=b1,addr=3"),
    "two-bridges": (
        "-device", "pci-bridge,id=b1,chassis_nr=1,addr=0x10",
        "-device", "pci-bridge,id=b2,chassis_nr=2,bus=b1,addr=5",
        "-device", "virtio-blk-pci,drive=x1,bus=b2,addr=3"),
    "function-5": (
        "-device", "virtio-rng-pci,addr=0x10.0,multifunction=on",
        "-device", "virtio-blk-pci,drive=x1,addr=0x10.5"),
    "transitional": ("-device", "virtio-blk-pci,drive=x1,disable-legacy=off"),
}

UNUSABLE = {
    "vectors=0": rb"it has no MSI-X interrupts",
    "disable-legacy=off,disable-modern=on": rb"no modern registers \(QEMU: disable-modern=off\); not used",
    "logical_block_size=4096,physical_block_size=4096": rb"blocks of 4096 bytes",
}


@test(quick=True)
@only("PCI")
@cases(*PLACES)
def test_disk_found(place):
    """A disk behind bridges, or as one function of several, or one that old
    drivers can use as well."""
    with Machine(wait=False, extra=second_disk(*PLACES[place])) as m:
        m.expect(rb"disk 1: virtio-pci@[0-9a-f:.]+, 1024 KiB\r*\n")
        m.wait_prompt()


@test(quick=True)
@only("PCI")
@cases(*UNUSABLE)
def test_unusable_disk(options):
    """A disk that cannot be used is reported, and the system boots without."""
    disk = second_disk("-device", f"virtio-blk-pci,drive=x1,{options}")
    with Machine(wait=False, extra=disk) as m:
        m.expect(rb"virtio-pci@[0-9a-f:.]+: " + UNUSABLE[options])
        m.wait_prompt()


@test(quick=True)
@only("PCI")
def test_registers_out_of_reach():
    """A device with so much memory that the firmware puts all of them where the
    kernel does not map them."""
    big = ["-object", "memory-backend-ram,size=128M,share=on,id=big",
           "-device", "ivshmem-plain,memdev=big"]
    with Machine(append="panic=exit", wait=False, extra=big) as m:
        text, status = m.wait_exit()
        assert "out of the kernel's reach" in text, text
        assert "no modern registers in reach; not used" in text, text
        assert "QEMU:" not in text, text
        assert "no root file system" in text, text
        assert status != 0, text
