# ISO to ISO: the mini installer in, the same installer out, that needs no typing and no network.
#
#   examples/mini/make-iso build/mini.iso
#   gantry build -var iso=build/mini.iso examples/mini-iso

variable "iso" {
  type        = string
  description = "The ISO that make-iso wrote; SHA256SUMS stands beside it."
  default     = "build/mini.iso"
}

variable "hostname" {
  type    = string
  default = "unattended"
}

variable "password" {
  type        = string
  description = "Root's password on every machine that this ISO installs. Whoever has the ISO can read it."
  default     = "gantry"
}

variable "after" {
  type        = string
  description = "What an installed machine does: reboot, poweroff or halt."
  default     = "reboot"
}

locals {
  answers = <<-END
    hostname=${var.hostname}
    user=root
    password=${var.password}
    after=${var.after}
  END
}

source "qemu" "mini-iso" {
  iso_url      = var.iso
  iso_checksum = "file:${dirname(var.iso)}/SHA256SUMS"
}

build {
  name    = "mini-iso"
  sources = ["source.qemu.mini-iso"]

  artifact "iso" {
    # The entry of the boot menus (isolinux and GRUB) that is changed, and started without waiting for a key.
    menu_entry       = "Install"
    kernel_arguments = "answers=iso:/answers"

    content = {
      "/answers" = local.answers
    }
  }
}
