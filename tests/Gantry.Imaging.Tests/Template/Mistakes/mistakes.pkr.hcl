variable "unset" {
  type = string
}

variable "twice" {
  default = 1
}

variable "twice" {
  default = 2
}

variable "port" {
  type    = number
  default = "many"
}

variable "size" {
  type    = string
  default = "tiny"

  validation {
    condition     = can(regex("^[0-9]", var.size))
    error_message = "A size begins with a digit."
  }
}

locals {
  one   = local.two
  two   = local.one
  other = var.missing
}

sorce "qemu" "typo" {
}

source "qemu" "mini" {
  iso_url          = "mini.iso"
  memory           = 8
  disk_size        = "plenty"
  boot_wait        = "soon"
  disk_interface   = "floppy"
  colour           = "red"
  winrm_username   = "me"
  ssh_bastion_host = "jump"
  http_port_min    = 9000
  http_port_max    = 8000
  http_content = {
    "/answers" = null
  }
}

source "qemu" "kernel" {
  kernel = "iso:/install/vmlinuz"
}

source "virtualbox-iso" "other" {
}

build {
  sources = ["source.qemu.mini", "source.qemu.kernel", "source.qemu.mni", "source.virtualbox-iso.other"]

  provisioner "shell" {
    inline = ["true"]
    script = "absent.sh"
  }

  provisioner "shel" {
  }

  provisioner "file" {
    source = "absent"
  }

  dynamic "provisioner" {
    for_each = ["a"]
    labels   = ["shell"]
    content {
      inline = ["true"]
    }
  }

  post-processor "vagrant" {
  }

  artifact "floppy" {
  }

  flavour = "sweet"
}
