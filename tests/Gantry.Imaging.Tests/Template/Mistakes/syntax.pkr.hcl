source "qemu" "mini" {
  iso_url = "mini.iso
  memory  = = 512
}
