# A full Debian, put on the disk by debootstrap inside the machine itself; bootable with BIOS and UEFI, with cloud-init and
# the guest agent.
#
#   examples/debian/make-live build/debian-live
#   gantry build -var live=build/debian-live examples/debian

variable "live" {
  type        = string
  description = "The folder that make-live wrote: vmlinuz and initrd."
  default     = "build/debian-live"
}

variable "mirror" {
  type        = string
  description = "Where the packages come from, as the guest reaches it."
  default     = "https://deb.debian.org/debian"
}

variable "suite" {
  type    = string
  default = "bookworm"
}

variable "variant" {
  type        = string
  description = "debootstrap's: empty for all that Debian itself calls standard, minbase for the least that apt runs on."
  default     = ""
}

variable "firmware" {
  type        = string
  description = "What the machine starts from its disk with: bios or uefi. The disk is made for both."
  default     = "bios"
}

variable "disk_size" {
  type    = string
  default = "4G"
}

variable "greeting" {
  type        = string
  description = "What the machine says at login: the last provisioner's, to be changed."
  default     = "Made by examples/debian"
}

variable "template" {
  type    = string
  default = "debian"
}

locals {
  answers = <<-END
    mirror=${var.mirror}
    suite=${var.suite}
    variant=${var.variant}
    hostname=debian
    packages=
  END
}

source "qemu" "debian" {
  isa              = "x86_64"
  kernel           = "${var.live}/vmlinuz"
  initrd           = "${var.live}/initrd"
  kernel_arguments = "console=ttyS0,115200 quiet answers=http://{{ .HTTPIP }}:{{ .HTTPPort }}/answers \"authorized_key={{ .SSHPublicKey }}\""

  efi_boot         = var.firmware == "uefi"

  cpus           = 2
  memory         = 1024
  disk_size      = var.disk_size
  disk_interface = "virtio"
  # What the installation writes need not survive a crash of this host.
  disk_cache = "unsafe"
  net_device = "virtio-net"

  http_content = {
    "/answers" = local.answers
  }

  # Everything is installed within it.
  ssh_username     = "root"
  ssh_timeout      = "60m"
  shutdown_command = "systemctl poweroff"
  shutdown_timeout = "3m"
}

build {
  name    = "debian"
  sources = ["source.qemu.debian"]

  # What makes it a guest that a host can address. The longest of the provisioners: kept as a step of its own.
  provisioner "shell" {
    environment_vars = ["DEBIAN_FRONTEND=noninteractive"]
    inline = [
      "apt-get -q -y --no-install-recommends install cloud-init cloud-guest-utils qemu-guest-agent sudo",
      "apt-get clean",
    ]
  }

  provisioner "file" {
    source      = "${path.root}/files/"
    destination = "/etc/cloud/cloud.cfg.d"
  }

  # The last one: changed, a rebuild begins here.
  provisioner "shell" {
    environment_vars = ["GREETING=${var.greeting}"]
    inline = [
      "echo \"$GREETING\" > /etc/motd",
      "cat /etc/motd",
    ]
  }

  artifact "template" {
    name = var.template
  }
}
