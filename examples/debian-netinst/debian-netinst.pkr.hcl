# Debian's own installer, unattended by a preseed file. It needs the whole internet: the installer loads parts of itself from
# the mirror.
#
#   gantry build examples/debian-netinst

variable "version" {
  type        = string
  description = "Debian's point release, as it stands in the names of its images."
  default     = "12.11.0"
}

variable "images" {
  type        = string
  description = "Where the images are, with their SHA256SUMS."
  default     = ""
}

variable "mirror_host" {
  type    = string
  default = "deb.debian.org"
}

variable "password" {
  type        = string
  description = "Root's password while the template is built; it stays the template's. Lock it where keys are enough."
  default     = "gantry"
  sensitive   = true
}

locals {
  images = var.images != "" ? var.images : "https://cdimage.debian.org/cdimage/archive/${var.version}/amd64/iso-cd"
}

source "qemu" "debian-netinst" {
  iso_url      = "${local.images}/debian-${var.version}-amd64-netinst.iso"
  iso_checksum = "file:${local.images}/SHA256SUMS"

  isa            = "x86_64"
  machine_type   = "pc"
  cpus           = 2
  memory         = 1024
  disk_size      = "8G"
  disk_interface = "virtio"
  net_device     = "virtio-net"
  headless       = true

  http_content = {
    # File functions start from this file's folder, with Packer too: path.root in front would name it twice.
    "/preseed.cfg" = templatefile("http/preseed.cfg", {
      mirror_host = var.mirror_host
      password    = var.password
    })
  }

  # isolinux' menu waits for a key; Esc leads to its prompt. "auto" asks nothing before the preseed file is there.
  boot_wait = "0s"
  boot_command = [
    "<waitFor 'Install' 120s>", "<esc>",
    "<waitFor 'boot:' 60s>",
    "auto priority=critical url=http://{{ .HTTPIP }}:{{ .HTTPPort }}/preseed.cfg",
    " console=ttyS0,115200 DEBIAN_FRONTEND=text<enter>",
  ]

  ssh_username     = "root"
  ssh_password     = var.password
  ssh_timeout      = "2h"
  shutdown_command = "systemctl poweroff"
  shutdown_timeout = "3m"
}

build {
  name    = "debian-netinst"
  sources = ["source.qemu.debian-netinst"]

  provisioner "shell" {
    inline = [
      "cat /etc/debian_version",
      "systemctl is-enabled qemu-guest-agent || true",
    ]
  }

  artifact "template" {
    name = "debian-netinst"
  }
}
